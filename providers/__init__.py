"""Upstream identity providers: the one list to extend. Order here is the order of the buttons."""

from providers.base import Provider
from providers.facebook import FACEBOOK
from providers.github import GITHUB
from providers.google import GOOGLE
from providers.twitter import TWITTER, TWITTER_OAUTH2

PROVIDERS: dict[str, Provider] = {
    provider.key: provider for provider in (GOOGLE, FACEBOOK, GITHUB, TWITTER, TWITTER_OAUTH2)
}
