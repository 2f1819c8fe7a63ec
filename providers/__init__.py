"""Upstream identity providers: the catalogue. Its order is the order of the buttons.

This room knows nothing of people, tables or requests to us; it imports config, keys, telemetry and
errors. Start reading at ``base``, then at any provider.
"""

from providers.apple import APPLE
from providers.atlassian import ATLASSIAN
from providers.base import Provider
from providers.bitbucket import BITBUCKET
from providers.declared import AMAZON, DIGITALOCEAN, FIGMA, NAVER, NOTION, SPOTIFY
from providers.discord import DISCORD
from providers.dropbox import DROPBOX
from providers.facebook import FACEBOOK
from providers.github import GITHUB
from providers.google import GOOGLE
from providers.issuers import GITLAB, ORCID, SALESFORCE, SLACK, TWITCH, YAHOO
from providers.kakao import KAKAO
from providers.linkedin import LINKEDIN
from providers.microsoft import MICROSOFT
from providers.reddit import REDDIT
from providers.twitter import TWITTER, TWITTER_OAUTH2
from providers.yandex import YANDEX
from providers.zoom import ZOOM

PROVIDERS: dict[str, Provider] = {
    provider.key: provider
    for provider in (
        GOOGLE,
        FACEBOOK,
        GITHUB,
        APPLE,
        MICROSOFT,
        LINKEDIN,
        TWITTER,
        TWITTER_OAUTH2,
        AMAZON,
        ATLASSIAN,
        BITBUCKET,
        DIGITALOCEAN,
        DISCORD,
        DROPBOX,
        FIGMA,
        GITLAB,
        KAKAO,
        NAVER,
        NOTION,
        ORCID,
        REDDIT,
        SALESFORCE,
        SLACK,
        SPOTIFY,
        TWITCH,
        YAHOO,
        YANDEX,
        ZOOM,
    )
}
