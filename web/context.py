"""The values that one application was built from, for the views."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from flask import current_app

from accounts import flows
from accounts.rules import Policy
from config.branding import Image
from config.settings import Settings
from models import Identity
from providers import PROVIDERS
from providers.base import Assertion
from providers.protocols import firebase
from providers.protocols.connector import Connector
from providers.protocols.firebase import Firebase
from providers.protocols.gate import sign_in_progress
from providers.protocols.native import IdTokens, OneTap
from web.limits import Limits


@dataclass(frozen=True)
class Destination:
    """Where a return path leads on to, as pages name it: an application, or another site.

    ``logo``: the address of its image. ``decline_url``: the form that tells the application that
    its person does not want to; ``form_target``: where that form then leads, in the terms of
    Content-Security-Policy.
    """

    name: str
    logo: str | None = None
    decline_url: str | None = None
    form_target: str | None = None


@dataclass(frozen=True)
class Site:
    """The values that one application was built from."""

    settings: Settings
    connectors: dict[str, Connector]
    policy: Policy
    limits: Limits
    # Verifiers of ID tokens from apps: all kinds, One Tap by provider, and Firebase.
    id_tokens: IdTokens = field(default_factory=lambda: IdTokens([]))
    one_taps: dict[str, OneTap] = field(default_factory=dict)
    firebase: Firebase | None = None
    demo_url: str | None = None
    # The person of an access token of ours, if it may use our API, and when they authenticated;
    # None if that does not count.
    owner_of_token: Callable[[str], tuple[str, datetime | None] | None] = lambda _token: None
    # The application that a return path leads on to, if it does.
    destination_of: Callable[[str], Destination | None] = lambda _return_to: None
    login_hint_of: Callable[[str], str] = lambda _return_to: ""
    # The operator's images, by name (config/branding.py).
    images: dict[str, Image] = field(default_factory=dict)

    def can_use(self, identity: Identity) -> bool:
        """Whether a person can sign in with this identity here today."""
        return self.policy.admits(identity)

    @property
    def for_newcomers(self) -> list[str]:
        """Return the providers by which somebody new may come in: with ALLOWED_EMAIL_DOMAINS, those
        that verify addresses. All, if none does: the page cannot be empty."""
        names = list(self.connectors)
        if not self.settings.allowed_email_domains:
            return names
        return [name for name in names if self.connectors[name].verifies_email] or names

    def label(self, provider: str) -> str:
        """Return a provider's branded name, also if it is off."""
        if provider in self.connectors:
            return self.connectors[provider].label
        known = PROVIDERS.get(provider)
        if known is None:
            return firebase.LABEL if provider == firebase.NAME else provider
        return known.label

    @property
    def trusts_anybody(self) -> bool:
        """Whether unsigned tokens are accepted, those of Firebase's emulator."""
        return self.settings.firebase_auth_emulator_host is not None


def site() -> Site:
    return cast(Site, current_app.extensions["quickstep"])


def current_flow() -> flows.Flow | None:
    """Return the flow that this request begins or ends."""
    flow = sign_in_progress().flow
    assert flow is None or isinstance(flow, flows.Flow)
    return flow


def current_assertion() -> Assertion | None:
    """Return the verified assertion of this request's sign-in."""
    return sign_in_progress().assertion
