"""Upstream identity providers: the one list to extend. Order here is the order of the buttons."""

from providers.base import Provider
from providers.facebook import FACEBOOK
from providers.github import GITHUB
from providers.google import GOOGLE

PROVIDERS: dict[str, Provider] = {provider.key: provider for provider in (GOOGLE, FACEBOOK, GITHUB)}
