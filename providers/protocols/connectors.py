"""One connector for each provider that the settings register, and the ID tokens that apps bring."""

from collections.abc import Mapping

from config.settings import Settings
from providers import PROVIDERS
from providers.base import Provider
from providers.http.transport import Transport
from providers.protocols.blueprint import Gate, LoginBlueprint, TokenStore
from providers.protocols.firebase import NAME, Firebase, identity_issuers
from providers.protocols.native import NativeTokens
from providers.protocols.oauth1 import OAuth1LoginBlueprint
from providers.protocols.oauth2 import OAuth2LoginBlueprint
from providers.protocols.openid_connect import named_issuer


def build_connectors(
    settings: Settings, transport: Transport, *, gate: Gate, tokens: TokenStore
) -> dict[str, LoginBlueprint]:
    """Build one login blueprint for each registered provider, in the order of the buttons."""
    named = [name for name in settings.providers if name in settings.registrations]
    order = [*named, *(name for name in settings.registrations if name not in named)]
    blueprints: dict[str, LoginBlueprint] = {}
    for name in order:
        registration = settings.registrations[name]
        provider = PROVIDERS.get(registration.key) or named_issuer(name, registration)
        blueprints[name] = blueprint_class(provider)(
            provider,
            registration,
            public_url=settings.public_url,
            gate=gate,
            tokens=tokens,
            transport=transport.named(name),
        )
    return blueprints


def blueprint_class(provider: Provider) -> type[OAuth1LoginBlueprint | OAuth2LoginBlueprint]:
    """Choose the protocol that a provider speaks."""
    return OAuth1LoginBlueprint if provider.request_token_endpoint else OAuth2LoginBlueprint


def build_firebase(
    settings: Settings, connectors: Mapping[str, LoginBlueprint], transport: Transport
) -> Firebase | None:
    """Build the verifier of the Firebase project that the settings name, if they name one."""
    if settings.firebase_project_id is None:
        return None
    configured = {name: one.identity_issuer for name, one in connectors.items()}
    return Firebase(
        settings.firebase_project_id,
        transport.named(NAME).get_dated_json,
        identity_issuers=identity_issuers(PROVIDERS, configured),
        closed=[name for name, one in settings.registrations.items() if one.hosted_domain],
        keys_url=settings.firebase_jwks_url,
        tenant_id=settings.firebase_tenant_id,
        trust_unsigned=settings.firebase_auth_emulator_host is not None,
    )


def build_native_tokens(connectors: Mapping[str, LoginBlueprint]) -> list[NativeTokens]:
    """Build a verifier for each provider whose apps bring native ID tokens.

    These are the providers that issue such tokens, and those whose apps the settings name.
    """
    return [
        NativeTokens(
            one.provider,
            one.issuer,
            (one.client_id, *one.registration.mobile_client_ids),
            one.registration.hosted_domain,
        )
        for one in connectors.values()
        if isinstance(one, OAuth2LoginBlueprint)
        and one.issuer
        and (one.registration.mobile_client_ids or one.provider.native_tokens)
    ]


def build_one_taps(connectors: Mapping[str, LoginBlueprint]) -> dict[str, NativeTokens]:
    """Build a verifier for each provider that has One Tap; its only audience is the web client."""
    return {
        name: NativeTokens(
            one.provider, one.issuer, [one.client_id], one.registration.hosted_domain
        )
        for name, one in connectors.items()
        if isinstance(one, OAuth2LoginBlueprint) and one.issuer and one.provider.one_tap_cookie
    }
