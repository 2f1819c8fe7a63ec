"""How this site is registered at each provider: ``NAME_CLIENT_ID`` and the variables like it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import ConfigDict, Field, SecretStr, ValidationError

from config.inbox_registrations import INBOX_SECRETS, InboxRegistration
from config.kinds import describe_faults
from config.validators import ApiVersion, BaseURL, Domain, Endpoint, Names
from config.variables import Variables, read_secret

# The variables of each credential; messages use the first name.
CREDENTIALS = {
    "client_id": ("{0}_CLIENT_ID", "{0}_OAUTH_CLIENT_ID", "AUTH_{0}_ID"),
    "client_secret": ("{0}_CLIENT_SECRET", "{0}_OAUTH_CLIENT_SECRET", "AUTH_{0}_SECRET"),
    "team_id": ("{0}_TEAM_ID",),
    "key_id": ("{0}_KEY_ID",),
    "private_key": ("{0}_PRIVATE_KEY",),
}
SECRET_CREDENTIALS = frozenset({"client_secret", "private_key"})
# A name in OIDC_PROVIDERS becomes a path below /login and a part of variable names.
ISSUER_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
RESERVED_NAMES = frozenset({"confirm"})
PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----")
# How a client authenticates at a token endpoint (OpenID Connect Core 9).
ClientAuth = Literal["basic", "post", "private_key_jwt", "none"]


class Registration(InboxRegistration):
    """Variables of one provider; NAME is `GOOGLE`, `GITHUB`, `OIDC_ACME` and so on.

    The provider is on when its id and secret are set. Aliases may repeat a value but not
    contradict it. Unset variables keep the provider's own defaults.
    """

    model_config = ConfigDict(frozen=True)

    # NAME in lower case; not a variable.
    key: str

    client_id: str
    """Client id."""

    client_secret: SecretStr | None = None
    """Client secret. An issuer of `OIDC_PROVIDERS` without one has a public client, with PKCE."""

    team_id: str | None = None
    """Apple: the team id."""

    key_id: str | None = None
    """The id of `NAME_PRIVATE_KEY`. Required for Apple; default elsewhere: the key's thumbprint."""

    private_key: SecretStr | None = None
    """Apple: the `.p8` key, from which a client secret is made every hour. Other OpenID Connect
    providers: an RSA or EC key in PEM, optionally with its certificate, with which we authenticate
    instead of by a secret (`private_key_jwt`)."""

    scope: str | None = None
    """Replaces the default scope."""

    client_auth: ClientAuth | None = None
    """How we authenticate at the provider: by the secret in a header (`basic`) or in the body
    (`post`), by a signature of `NAME_PRIVATE_KEY` (`private_key_jwt`), or not at all (`none`).
    Default: by the key if there is one, else as the provider documents it, or its metadata offer it
    (`basic` first)."""

    par: bool | None = None
    """OpenID Connect providers: `1` sends the authorization request to the issuer before the
    browser goes there (RFC 9126). Default: if its metadata demand that."""

    offline_access: bool | None = None
    """`1`: ask for a token that can be refreshed while the person is away (Google: with a consent
    at each sign-in). Default: `0`."""

    issuer: Endpoint | None = None
    """OpenID Connect providers: another issuer; the endpoints come from its discovery document.
    Required for an issuer of `OIDC_PROVIDERS`."""

    hosted_domain: Domain | None = None
    """Google: only accounts of this Workspace domain."""

    mobile_client_ids: Names = ()
    """OpenID Connect providers: client ids of your apps, whose native ID tokens are accepted as
    well as those for `NAME_CLIENT_ID`."""

    authorization_url: Endpoint | None = None
    """Other providers: authorization endpoint of a self-hosted edition, a proxy or a simulator."""

    token_url: Endpoint | None = None
    """Other providers: token endpoint."""

    request_token_url: Endpoint | None = None
    """OAuth 1.0a: endpoint for request tokens."""

    api_url: BaseURL | None = None
    """Other providers: base URL of the API that profiles are read from, with or without a slash at
    its end."""

    api_version: ApiVersion | None = None
    """Facebook: version of the Graph API. Default: `v26.0`."""

    label: Annotated[str, Field(max_length=30)] | None = None
    """Issuers of `OIDC_PROVIDERS`: text of the button."""

    trust_email: bool = False
    """Issuers of `OIDC_PROVIDERS`: `1` trusts their `email_verified`, which otherwise counts as
    false."""

    @property
    def secret(self) -> str:
        """The client secret as plain text; empty for a public client."""
        return self.client_secret.get_secret_value() if self.client_secret else ""


class Registrable(Protocol):
    """The properties of a provider that are needed to read its variables."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def credentials(self) -> tuple[str, ...]: ...
    @property
    def optional_credentials(self) -> tuple[str, ...]: ...
    @property
    def settings(self) -> tuple[str, ...]: ...
    def faults(self, registration: Registration) -> list[str]: ...


@dataclass(frozen=True)
class NamedIssuer:
    """An OpenID Connect issuer that OIDC_PROVIDERS names; without a secret, a public client."""

    name: str
    credentials: tuple[str, ...] = ("client_id",)
    optional_credentials: tuple[str, ...] = ("client_secret", "private_key", "key_id")
    settings: tuple[str, ...] = (
        *("scope", "client_auth", "par", "offline_access", "issuer", "mobile_client_ids"),
        *("label", "trust_email"),
        *("ssf_configuration_url", "ssf_authorization", "ssf_audience", "ssf_stream_id"),
    )

    @property
    def key(self) -> str:
        """The beginning of its variables, in lower case."""
        return f"oidc_{self.name}"

    def faults(self, registration: Registration) -> list[str]:
        """Describe what is wrong with its registration."""
        faults = [] if registration.issuer else [f"{self.key.upper()}_ISSUER: missing"]
        if registration.ssf_configuration_url and not registration.ssf_authorization:
            because = f"{self.key.upper()}_SSF_CONFIGURATION_URL is set"
            faults.append(f"{self.key.upper()}_SSF_AUTHORIZATION: missing, while {because}")
        return [
            *faults,
            *openid_faults(self.key, registration),
            *client_auth_faults(self.key, registration),
        ]


def client_auth_faults(key: str, registration: Registration) -> list[str]:
    """Describe a client authentication that needs a secret or a key which is not set."""
    pem = registration.private_key.get_secret_value() if registration.private_key else ""
    if pem and not registration.team_id and not PRIVATE_KEY.search(pem):
        return [f"{key.upper()}_PRIVATE_KEY: must be a private key in PEM, with its BEGIN line"]
    # Apple's secret is made of its key, which belongs to a team.
    has_secret = registration.client_secret or registration.team_id
    has_means = {"private_key_jwt": pem, "basic": has_secret, "post": has_secret}
    if registration.client_auth is None or has_means.get(registration.client_auth, True):
        return []
    is_key = registration.client_auth == "private_key_jwt"
    needed = _variable(key, "private_key" if is_key else "client_secret")
    return [f"{key.upper()}_CLIENT_AUTH: {registration.client_auth} needs {needed}"]


def openid_faults(key: str, registration: Registration) -> list[str]:
    """Describe what is wrong with the scope or the issuer of an OpenID Connect client."""
    faults, scope, issuer = [], registration.scope, registration.issuer or ""
    if scope is not None and "openid" not in scope.replace(",", " ").split():
        faults.append(f"{key.upper()}_SCOPE: must contain openid (OpenID Connect Core 3.1.2.1)")
    base, discovery, _rest = issuer.partition("/.well-known/")
    if discovery:
        faults.append(f"{key.upper()}_ISSUER: is the address of its metadata; set it to {base}")
    return faults


def named_issuers(
    names: Iterable[str], known: Iterable[Registrable], faults: list[str]
) -> list[Registrable]:
    """Turn the names in OIDC_PROVIDERS into issuers."""
    taken = {provider.name for provider in known} | RESERVED_NAMES
    found: list[Registrable] = []
    for name in names:
        if not ISSUER_NAME.fullmatch(name):
            faults.append(f"OIDC_PROVIDERS: {name!r} must be a-z, 0-9 and _, and begin with a-z")
        elif name in taken:
            faults.append(f"OIDC_PROVIDERS: {name} is the name of something else; choose another")
        else:
            found.append(NamedIssuer(name))
            taken.add(name)
    return found


def read_registrations(
    variables: Variables, providers: Iterable[Registrable], faults: list[str]
) -> dict[str, Registration]:
    """Read the registrations that are set, by provider name."""
    registrations: dict[str, Registration] = {}
    for provider in providers:
        known_faults = len(faults)
        registration = _read_registration(variables, provider, faults)
        if registration is None:
            if isinstance(provider, NamedIssuer) and len(faults) == known_faults:
                faults += _missing(provider.key, ["client_id"], "OIDC_PROVIDERS names it")
        elif provider.name in registrations:
            other = _variable(registrations[provider.name].key, "client_id")
            faults.append(f"{provider.key.upper()}_CLIENT_ID: {other} is set too; keep one")
        else:
            registrations[provider.name] = registration
    return registrations


def _read_registration(
    variables: Variables, provider: Registrable, faults: list[str]
) -> Registration | None:
    """Read one provider's variables; None while none of its credentials is set."""
    upper, known_faults = provider.key.upper(), len(faults)
    names = (*provider.credentials, *provider.optional_credentials)
    values: dict[str, Any] = {
        name: value for name in names if (value := _read_credential(variables, upper, name, faults))
    }
    if len(faults) > known_faults or not values:
        return None
    given_up = {"client_secret"} if "private_key" in provider.optional_credentials else set()
    needed = set(provider.credentials) - (given_up if "private_key" in values else set())
    lacking = [name for name in provider.credentials if name in needed - values.keys()]
    if lacking:
        faults += _missing(upper, lacking, f"{_variable(upper, next(iter(values)))} is set")
        return None
    for name in provider.settings:
        read = read_secret if name in INBOX_SECRETS else _read_plain
        values[name] = read(variables, f"{upper}_{name.upper()}", faults)
    try:
        given = {name: value for name, value in values.items() if value is not None}
        registration = Registration(key=provider.key, **given)
    except ValidationError as error:
        faults += describe_faults(error, Registration, prefix=f"{upper}_")
        return None
    faults += provider.faults(registration)
    return registration


def _read_plain(variables: Variables, name: str, _faults: list[str]) -> str | None:
    return variables.get(name)


def _read_credential(
    variables: Variables, upper: str, credential: str, faults: list[str]
) -> str | None:
    """Read a credential by any of its names; they may not contradict each other."""
    found = {}
    for template in CREDENTIALS[credential]:
        name = template.format(upper)
        is_secret = credential in SECRET_CREDENTIALS
        value = read_secret(variables, name, faults) if is_secret else variables.get(name)
        if value:
            found[name] = value
    if len(set(found.values())) > 1:
        faults.append(f"{' and '.join(found)}: these disagree; keep one")
    return next(iter(found.values()), None)


def _variable(key: str, credential: str) -> str:
    """Return the first name of a credential's variable."""
    return CREDENTIALS[credential][0].format(key.upper())


def _missing(key: str, credentials: list[str], because: str) -> list[str]:
    """Report credentials that should be set, with the reason."""
    return [f"{_variable(key, each)}: missing, while {because}" for each in credentials]
