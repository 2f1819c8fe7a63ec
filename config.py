"""Settings, built once from the environment and ``.env``; every fault is named at once.

The only module that reads the environment. README.md and .env.example describe each
variable; a test compares the three.
"""

import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from errors import SettingsError

ROOT = Path(__file__).resolve().parent
SECRET_KEY_MIN_CHARACTERS = 32

# The suffixes of NAME_… that belong to one provider, and what each becomes.
CLIENT_ID_NAMES = ("{0}_CLIENT_ID", "{0}_OAUTH_CLIENT_ID", "AUTH_{0}_ID")
CLIENT_SECRET_NAMES = ("{0}_CLIENT_SECRET", "{0}_OAUTH_CLIENT_SECRET", "AUTH_{0}_SECRET")
OPENID_SETTINGS = {
    "{0}_ISSUER": "issuer",
    "{0}_MOBILE_CLIENT_IDS": "mobile_client_ids",
}
OAUTH2_SETTINGS = {
    "{0}_AUTHORIZATION_URL": "authorization_url",
    "{0}_TOKEN_URL": "token_url",
    "{0}_API_URL": "api_url",
    "{0}_API_VERSION": "api_version",
}


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
    """An address that requests may go to: https, or http on a loopback host.

    Raises ValueError otherwise.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        raise ValueError("must be an absolute URL without user name or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must start with https:// (http:// is for loopback hosts only)")
    return url


def _check_public_url(url: str) -> str:
    url = check_endpoint(url).rstrip("/")
    if urlsplit(url).path or urlsplit(url).query:
        raise ValueError("must be scheme and host only, such as https://login.example.org")
    return url


def _check_page_url(url: str) -> str:
    if url.startswith("mailto:") and "@" in url:
        return url
    return check_endpoint(url)


def _check_database_url(url: SecretStr) -> SecretStr:
    scheme, _, rest = url.get_secret_value().partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return SecretStr(f"postgresql+psycopg://{rest}")
    if scheme == "sqlite":
        return url
    raise ValueError("must start with sqlite:// or postgresql://")


def _check_cookie_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", name):
        raise ValueError("must be a cookie name (RFC 6265 4.1.1)")
    return name


def _check_domain(domain: str) -> str:
    domain = domain.lower().removeprefix("@")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", domain) or "." not in domain:
        raise ValueError(f"has {domain!r}, which is not a domain such as example.org")
    return domain


def _check_emulator_host(value: str) -> str:
    parts = urlsplit(f"//{value}")
    is_bare = parts.netloc == value and "@" not in value
    if not (is_bare and is_loopback(parts.hostname) and parts.port):
        raise ValueError("must be host:port of this machine, such as 127.0.0.1:9099")
    return value


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Endpoint = Annotated[str, AfterValidator(check_endpoint)]
PageURL = Annotated[str, AfterValidator(_check_page_url)]
Names = Annotated[tuple[str, ...], BeforeValidator(_comma_list)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_comma_list)]
Domains = Annotated[
    tuple[Annotated[str, AfterValidator(_check_domain)], ...], BeforeValidator(_comma_list)
]


class ClientSettings(BaseModel):
    """How this site is registered at one provider; None keeps the provider's own default."""

    model_config = ConfigDict(frozen=True)

    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    issuer: Endpoint | None = None
    mobile_client_ids: Names | None = None
    authorization_url: Endpoint | None = None
    token_url: Endpoint | None = None
    api_url: Endpoint | None = None
    api_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] | None = None


class Settings(BaseModel):
    """Everything an operator can choose. Field ``app_name`` is variable ``APP_NAME``, and so on."""

    model_config = ConfigDict(frozen=True)

    secret_key: SecretStr | None = None
    secret_key_fallbacks: Secrets = ()
    token_encryption_keys: Secrets = ()
    database_url: Annotated[SecretStr, AfterValidator(_check_database_url)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    public_url: Annotated[str, AfterValidator(_check_public_url)] = ""
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    session_cookie_name: Annotated[str, AfterValidator(_check_cookie_name)] = "session"
    demo: bool | None = None
    app_name: Annotated[str, Field(max_length=60)] = "Quickstep"
    support_url: PageURL | None = None
    terms_url: PageURL | None = None
    privacy_url: PageURL | None = None
    providers: Names = ()
    account_linking: Literal["ask", "auto", "separate"] = "ask"
    allowed_email_domains: Domains = ()
    signups: Literal["open", "closed"] = "open"
    refusals_per_minute: Annotated[int, Field(ge=1)] = 120
    firebase_project_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,64}$")] | None = None
    firebase_jwks_url: Endpoint | None = None
    firebase_tenant_id: str | None = None
    firebase_auth_emulator_host: Annotated[str, AfterValidator(_check_emulator_host)] | None = None
    clients: Mapping[str, ClientSettings] = {}

    @property
    def host(self) -> str:
        """Host, with the port where it is not the scheme's own, of the public URL."""
        return urlsplit(self.public_url).netloc

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether people can reach this server from this machine only."""
        return is_loopback(urlsplit(self.public_url).hostname)


class KnownProvider(Protocol):
    """What the settings need to know of a provider to read its variables."""

    @property
    def name(self) -> str: ...
    @property
    def issuer(self) -> str | None: ...


SECRET_FIELDS = frozenset(
    {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "TOKEN_ENCRYPTION_KEYS", "DATABASE_URL"}
)


def load(
    known: Iterable[KnownProvider],
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = ROOT / ".env",
) -> Settings:
    """Read the settings; a variable in the environment beats the same one in ``env_file``.

    An empty value counts as unset. Raises SettingsError with every fault at once.
    """
    from_file = dotenv_values(env_file) if env_file else {}
    merged = {**from_file, **(os.environ if environ is None else environ)}
    variables = {name: value.strip() for name, value in merged.items() if value and value.strip()}
    known = list(known)
    faults: list[str] = []
    values: dict[str, Any] = {}
    for field in Settings.model_fields:
        name = field.upper()
        read = _secret if name in SECRET_FIELDS else _plain
        if field != "clients" and (value := read(variables, name, faults)) is not None:
            values[field] = value
    if "public_url" not in values:
        values["public_url"] = f"http://localhost:{values.get('port', 5000)}"
    for provider in known:
        client = _client(variables, provider, faults)
        if client:
            values.setdefault("clients", {})[provider.name] = client
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(faults + _describe(error)) from None
    faults += _cross_faults(settings, [provider.name for provider in known])
    if faults:
        raise SettingsError(faults)
    return settings


def _plain(variables: Mapping[str, str], name: str, _faults: list[str]) -> str | None:
    return variables.get(name)


def _secret(variables: Mapping[str, str], name: str, faults: list[str]) -> str | None:
    """The secret ``NAME``, or what the file named by ``NAME_FILE`` holds."""
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


def _client(
    variables: Mapping[str, str], provider: KnownProvider, faults: list[str]
) -> ClientSettings | None:
    """One provider's settings; None while neither its id nor its secret is set."""
    upper = provider.name.upper()
    told = len(faults)
    client_id = _one_of(variables, [n.format(upper) for n in CLIENT_ID_NAMES], _plain, faults)
    secret = _one_of(variables, [n.format(upper) for n in CLIENT_SECRET_NAMES], _secret, faults)
    if len(faults) > told or (client_id is None and secret is None):
        return None
    if client_id is None or secret is None:
        has, lacks = ("SECRET", "ID") if client_id is None else ("ID", "SECRET")
        faults.append(f"{upper}_CLIENT_{lacks}: missing, while {upper}_CLIENT_{has} is set")
        return None
    names = {"{0}_SCOPE": "scope", **(OPENID_SETTINGS if provider.issuer else OAUTH2_SETTINGS)}
    values: dict[str, Any] = {
        field: variables.get(name.format(upper)) for name, field in names.items()
    }
    if provider.issuer and values["scope"] and "openid" not in values["scope"].split():
        faults.append(f"{upper}_SCOPE: must hold openid (OpenID Connect Core 3.1.2.1)")
    try:
        return ClientSettings(client_id=client_id, client_secret=SecretStr(secret), **values)
    except ValidationError as error:
        faults += _describe(error, prefix=f"{upper}_")
        return None


def _one_of(
    variables: Mapping[str, str], names: list[str], read: Any, faults: list[str]
) -> str | None:
    """The value of a variable that has aliases; they may repeat but not contradict each other."""
    found = {name: value for name in names if (value := read(variables, name, faults))}
    if len(set(found.values())) > 1:
        faults.append(f"{' and '.join(found)}: these disagree; keep one")
    return next(iter(found.values()), None)


def _describe(error: ValidationError, prefix: str = "") -> list[str]:
    """Pydantic's errors as lines that name the variable and never show its value."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        message = fault["msg"].removeprefix("Value error, ")
        lines.append(f"{prefix}{str(fault['loc'][0]).upper()}: {message}")
    return lines


def _cross_faults(settings: Settings, known: list[str]) -> list[str]:
    faults = []
    unknown = [name for name in settings.providers if name not in known]
    if unknown:
        faults.append(f"PROVIDERS: unknown {', '.join(unknown)}; there are {', '.join(known)}")
    if settings.secret_key is None and settings.database_url is not None:
        faults.append("SECRET_KEY: must be set when DATABASE_URL is (any long random text)")
    key = settings.secret_key.get_secret_value() if settings.secret_key else None
    if key is not None and len(key) < SECRET_KEY_MIN_CHARACTERS and not settings.is_local:
        faults.append(f"SECRET_KEY: must have at least {SECRET_KEY_MIN_CHARACTERS} characters")
    if key is not None and "," in key:
        # It could not be told apart in SECRET_KEY_FALLBACKS when its time is over.
        faults.append("SECRET_KEY: must not hold a comma")
    if settings.session_cookie_name.startswith("__") and not settings.is_https:
        faults.append("SESSION_COOKIE_NAME: the prefixes __Host- and __Secure- need https")
    faults += _firebase_faults(settings)
    if settings.demo and not settings.is_local:
        faults.append("DEMO: demo mode is for loopback only, and PUBLIC_URL is not")
    return faults


def _firebase_faults(settings: Settings) -> list[str]:
    faults = []
    if settings.firebase_project_id is None:
        fields = ("firebase_jwks_url", "firebase_tenant_id", "firebase_auth_emulator_host")
        names = [field.upper() for field in fields if getattr(settings, field)]
        faults += [f"{name}: needs FIREBASE_PROJECT_ID" for name in names]
    if settings.firebase_auth_emulator_host and not settings.is_local:
        faults.append(
            "FIREBASE_AUTH_EMULATOR_HOST: anybody can be anybody with the emulator's tokens, so it "
            "is for loopback only, and PUBLIC_URL is not"
        )
    return faults


def embedded_secret_key(instance_path: str) -> SecretStr:
    """The key of a server with the embedded database: made once, kept in a file of mode 0600."""
    folder = Path(instance_path)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secret_key"
    if not path.exists():
        # Written aside and linked into place, so that of several workers starting at once
        # one wins and none ever reads half a key.
        handle, temporary = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(temporary, path)
        Path(temporary).unlink()
    return SecretStr(path.read_text(encoding="ascii"))
