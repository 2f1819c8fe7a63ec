"""Registrations: how this site is registered at each provider, from NAME_CLIENT_ID and similar
variables.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

# Credentials and their aliases; messages use the first name.
CREDENTIALS = {
    "client_id": ("{0}_CLIENT_ID", "{0}_OAUTH_CLIENT_ID", "AUTH_{0}_ID"),
    "client_secret": ("{0}_CLIENT_SECRET", "{0}_OAUTH_CLIENT_SECRET", "AUTH_{0}_SECRET"),
    "team_id": ("{0}_TEAM_ID",),
    "key_id": ("{0}_KEY_ID",),
    "private_key": ("{0}_PRIVATE_KEY",),
}
SECRET_CREDENTIALS = frozenset({"client_secret", "private_key"})
# A name is a path below /login and a part of variable names.
ISSUER_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
RESERVED_NAMES = frozenset({"confirm"})

Variables = Mapping[str, str]


def is_loopback(host: str | None) -> bool:
    """Whether a host name (no port, no brackets) can only mean this machine."""
    if not host:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_endpoint(url: str) -> str:
    """Check an address that requests may go to: https, or http on a loopback host. Raises
    ValueError."""
    parts = urlsplit(url)
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        raise ValueError("must be an absolute URL without user name or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must start with https:// (http:// is for loopback hosts only)")
    return url


def comma_list(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(comma_list)]


def check_domain(domain: str) -> str:
    """Return a domain in lower case. Raises ValueError."""
    domain = domain.lower().removeprefix("@")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", domain) or "." not in domain:
        raise ValueError(f"has {domain!r}, which is not a domain such as example.org")
    return domain


Endpoint = Annotated[str, AfterValidator(check_endpoint)]
Domain = Annotated[str, AfterValidator(check_domain)]


class Registration(BaseModel):
    """Our registration at one provider; None keeps the provider's default.

    Field ``api_url`` is variable ``NAME_API_URL``, and so on. ``key`` is NAME in lower case.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    client_id: str
    client_secret: SecretStr | None = None
    team_id: str | None = None
    key_id: str | None = None
    private_key: SecretStr | None = None
    scope: str | None = None
    offline_access: bool | None = None
    issuer: Endpoint | None = None
    # Only accounts of this domain: Google Workspace's hd.
    hosted_domain: Domain | None = None
    # Client ids of apps whose native ID tokens are accepted.
    mobile_client_ids: Names = ()
    authorization_url: Endpoint | None = None
    token_url: Endpoint | None = None
    request_token_url: Endpoint | None = None
    api_url: Endpoint | None = None
    api_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    # For an issuer that only the settings name.
    label: Annotated[str, Field(max_length=30)] | None = None
    trust_email: bool = False

    @property
    def secret(self) -> str:
        """Return the client secret in the clear; empty for a public client."""
        return self.client_secret.get_secret_value() if self.client_secret else ""


class Registrable(Protocol):
    """What must be known of a provider to read its variables."""

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
    optional_credentials: tuple[str, ...] = ("client_secret",)
    settings: tuple[str, ...] = (
        *("scope", "offline_access", "issuer", "mobile_client_ids", "label", "trust_email"),
    )

    @property
    def key(self) -> str:
        return f"oidc_{self.name}"

    def faults(self, registration: Registration) -> list[str]:
        faults = [] if registration.issuer else [f"{self.key.upper()}_ISSUER: missing"]
        return faults + openid_faults(self.key, registration)


def openid_faults(key: str, registration: Registration) -> list[str]:
    """Return the faults of an OpenID Connect scope."""
    if registration.scope is None or "openid" in registration.scope.replace(",", " ").split():
        return []
    return [f"{key.upper()}_SCOPE: must hold openid (OpenID Connect Core 3.1.2.1)"]


def named_issuers(
    names: Iterable[str], known: Iterable[Registrable], faults: list[str]
) -> list[Registrable]:
    """Return the issuers of OIDC_PROVIDERS."""
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
    """Return the configured registrations by provider name. Faults are added to ``faults``."""
    registrations: dict[str, Registration] = {}
    for provider in providers:
        told = len(faults)
        registration = _registration(variables, provider, faults)
        if registration is None:
            if isinstance(provider, NamedIssuer) and len(faults) == told:
                _miss(provider.key, ["client_id"], "OIDC_PROVIDERS names it", faults)
        elif provider.name in registrations:
            other = _variable(registrations[provider.name].key.upper(), "client_id")
            faults.append(f"{provider.key.upper()}_CLIENT_ID: {other} is set too; keep one")
        else:
            registrations[provider.name] = registration
    return registrations


def read_secret(variables: Variables, name: str, faults: list[str]) -> str | None:
    """Return the secret ``NAME``, or the contents of the file that ``NAME_FILE`` names."""
    path = variables.get(f"{name}_FILE")
    if path is None:
        return variables.get(name)
    if name in variables:
        faults.append(f"{name}: set it or {name}_FILE, not both")
        return None
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{name}_FILE: cannot be read ({type(error).__name__})")
        return None
    if not text:
        faults.append(f"{name}_FILE: the file is empty")
    return text or None


def describe_faults(error: ValidationError, prefix: str = "") -> list[str]:
    """Return pydantic's errors as lines that name the variable and never show its value."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        message = fault["msg"].removeprefix("Value error, ")
        lines.append(f"{prefix}{str(fault['loc'][0]).upper()}: {message}")
    return lines


def _registration(
    variables: Variables, provider: Registrable, faults: list[str]
) -> Registration | None:
    """Read one provider's registration; None if none of its credentials is set."""
    upper, told = provider.key.upper(), len(faults)
    names = (*provider.credentials, *provider.optional_credentials)
    values: dict[str, Any] = {
        name: value for name in names if (value := _credential(variables, upper, name, faults))
    }
    if len(faults) > told or not values:
        return None
    lacks = [name for name in provider.credentials if name not in values]
    if lacks:
        _miss(upper, lacks, f"{_variable(upper, next(iter(values)))} is set", faults)
        return None
    for name in provider.settings:
        values[name] = variables.get(f"{upper}_{name.upper()}")
    try:
        given = {name: value for name, value in values.items() if value is not None}
        registration = Registration(key=provider.key, **given)
    except ValidationError as error:
        faults += describe_faults(error, prefix=f"{upper}_")
        return None
    faults += provider.faults(registration)
    return registration


def _credential(variables: Variables, upper: str, credential: str, faults: list[str]) -> str | None:
    """Read a credential that has aliases; several may be set, but they must agree."""
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


def _variable(upper: str, credential: str) -> str:
    return CREDENTIALS[credential][0].format(upper)


def _miss(key: str, credentials: list[str], because: str, faults: list[str]) -> None:
    faults += [f"{_variable(key.upper(), each)}: missing, while {because}" for each in credentials]
