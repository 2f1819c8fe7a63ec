"""Upstream identity providers: the one list to extend. Order here is the order of the buttons."""

from providers.apple import APPLE
from providers.base import Provider
from providers.facebook import FACEBOOK
from providers.github import GITHUB
from providers.google import GOOGLE
from providers.issuers import GITLAB, ORCID, SALESFORCE, SLACK, TWITCH, YAHOO
from providers.kakao import KAKAO
from providers.linkedin import LINKEDIN
from providers.microsoft import MICROSOFT

PROVIDERS: dict[str, Provider] = {
    provider.key: provider
    for provider in (
        GOOGLE,
        FACEBOOK,
        GITHUB,
        APPLE,
        MICROSOFT,
        LINKEDIN,
        GITLAB,
        SLACK,
        YAHOO,
        TWITCH,
        KAKAO,
        SALESFORCE,
        ORCID,
    )
}
