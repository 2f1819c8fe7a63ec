"""The settings, built once from the environment and ``.env``; every fault is reported at once.

This is the only module that reads the environment. README.md and .env.example describe each
variable; a test compares the three.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
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

from config.registrations import (
    Domain,
    Endpoint,
    Names,
    Registrable,
    Registration,
    check_endpoint,
    comma_list,
    describe_faults,
    is_loopback,
    named_issuers,
    read_registrations,
    read_secret,
)
from errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY_MIN_CHARACTERS = 32
REDIS_OPTION = r"db=\d{1,4}|ssl_ca_certs=/[\w./-]+"


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


def _check_redis_url(url: SecretStr) -> SecretStr:
    """Refuse what the client would misread silently: a misspelt database would be another one, and
    a query can turn certificate checks off."""
    text = url.get_secret_value()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be an address such as redis://localhost:6379/0") from None
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    query = parts.query.split("&") if parts.query else []
    if parts.fragment or not all(re.fullmatch(REDIS_OPTION, option) for option in query):
        raise ValueError("may end in ?db=0 or ?ssl_ca_certs=/path (signs of a password: %23, %3F)")
    if parts.scheme == "unix":
        if not parts.path.strip("/") or parts.hostname:
            raise ValueError("must have the socket's path: unix:///run/redis/redis.sock")
    elif not parts.hostname or port == 0 or not re.fullmatch(r"(/\d{0,4})?", parts.path):
        raise ValueError("must have a host, and a number for a path: redis://localhost:6379/0")
    return url


def _check_cookie_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", name):
        raise ValueError("must be a cookie name (RFC 6265 4.1.1)")
    return name


def _check_emulator_host(value: str) -> str:
    parts = urlsplit(f"//{value}")
    is_bare = parts.netloc == value and "@" not in value
    if not (is_bare and is_loopback(parts.hostname) and parts.port):
        raise ValueError("must be host:port of this machine, such as 127.0.0.1:9099")
    return value


def _check_origin(origin: str) -> str:
    """Check an origin as browsers write it in their Origin header (RFC 6454 6.2)."""
    try:
        parts = urlsplit(check_endpoint(origin.rstrip("/")))
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"has {origin!r}, which {error}") from None
    if parts.path or parts.query or not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:]+", host):
        raise ValueError(f"has {origin!r}, which is not an origin such as https://app.example.org")
    host = f"[{host}]" if ":" in host else host
    is_default = port in (None, {"https": 443, "http": 80}[parts.scheme])
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{port}"


PageURL = Annotated[str, AfterValidator(_check_page_url)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(comma_list)]
Domains = Annotated[tuple[Domain, ...], BeforeValidator(comma_list)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_check_origin)], ...], BeforeValidator(comma_list)
]


class Settings(BaseModel):
    """Everything that an operator can choose. Field ``app_name`` is variable ``APP_NAME``, and so
    on."""

    model_config = ConfigDict(frozen=True)

    secret_key: SecretStr | None = None
    secret_key_fallbacks: Secrets = ()
    token_encryption_keys: Secrets = ()
    database_url: Annotated[SecretStr, AfterValidator(_check_database_url)] | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=500)] = 10
    redis_url: Annotated[SecretStr, AfterValidator(_check_redis_url)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    public_url: Annotated[str, AfterValidator(_check_public_url)] = ""
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    web_concurrency: Annotated[int, Field(ge=1, le=256)] | None = None
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    session_cookie_name: Annotated[str, AfterValidator(_check_cookie_name)] = "session"
    demo: bool | None = None
    app_name: Annotated[str, Field(max_length=60)] = "Quickstep"
    support_url: PageURL | None = None
    terms_url: PageURL | None = None
    privacy_url: PageURL | None = None
    providers: Names = ()
    oidc_providers: Names = ()
    account_linking: Literal["ask", "auto", "separate"] = "ask"
    allowed_email_domains: Domains = ()
    signups: Literal["open", "closed"] = "open"
    cors_origins: Origins = ()
    refusals_per_minute: Annotated[int, Field(ge=1)] = 120
    firebase_project_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,64}$")] | None = None
    firebase_jwks_url: Endpoint | None = None
    firebase_tenant_id: str | None = None
    firebase_auth_emulator_host: Annotated[str, AfterValidator(_check_emulator_host)] | None = None
    registrations: Mapping[str, Registration] = {}

    @property
    def host(self) -> str:
        """Return the host of the public URL, with the port unless it is the scheme's default."""
        return urlsplit(self.public_url).netloc

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach this server."""
        return is_loopback(urlsplit(self.public_url).hostname)


SECRET_FIELDS = frozenset(
    {
        *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "TOKEN_ENCRYPTION_KEYS"),
        *("DATABASE_URL", "REDIS_URL", "METRICS_TOKEN"),
    }
)


def load(
    known: Iterable[Registrable],
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = ROOT / ".env",
) -> Settings:
    """Read the settings; a variable in the environment overrides the same one in ``env_file``.

    An empty value counts as unset. Raises SettingsError with all faults together.
    """
    from_file = dotenv_values(env_file) if env_file else {}
    merged = {**from_file, **(os.environ if environ is None else environ)}
    variables = {name: value.strip() for name, value in merged.items() if value and value.strip()}
    faults: list[str] = []
    values: dict[str, Any] = {}
    for field in Settings.model_fields:
        name = field.upper()
        is_secret = name in SECRET_FIELDS
        value = read_secret(variables, name, faults) if is_secret else variables.get(name)
        if field != "registrations" and value is not None:
            values[field] = value
    if "public_url" not in values:
        values["public_url"] = f"http://localhost:{values.get('port', 5000)}"
    known = list(known)
    issuers = named_issuers(comma_list(values.get("oidc_providers", "")), known, faults)
    values["registrations"] = read_registrations(variables, [*known, *issuers], faults)
    faults += _unknown_registrations(from_file, [*known, *issuers])
    settings, wrong = _build(values)
    names = dict.fromkeys(provider.name for provider in [*known, *issuers])
    faults += wrong + _cross_faults(settings, list(names))
    if faults:
        raise SettingsError(faults)
    return settings


def _build(values: dict[str, Any]) -> tuple[Settings, list[str]]:
    """Build the settings without the faulty values; return them and the faults."""
    try:
        return Settings(**values), []
    except ValidationError as error:
        bad = {str(fault["loc"][0]) for fault in error.errors()}
        good = {name: value for name, value in values.items() if name not in bad}
        return _build(good)[0], describe_faults(error)


def _unknown_registrations(written: Iterable[str], known: list[Registrable]) -> list[str]:
    """Return credentials in ``.env`` that belong to no provider: a misspelt name would silently do
    nothing. The environment may hold those of other programs."""
    endings = ("_CLIENT_ID", "_CLIENT_SECRET")
    prefixes = tuple(f"{provider.key.upper()}_" for provider in known)
    return [
        f"{name}: there is no such provider"
        for name in written
        if name.endswith(endings) and not name.startswith(prefixes)
    ]


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
        # It could not be told apart in SECRET_KEY_FALLBACKS after a rotation.
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
    """Return the embedded database's key: created once, in a file of mode 0600."""
    folder = Path(instance_path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secret_key"
    if not path.exists():
        # Written to a temporary file and linked into place: of several workers that start
        # concurrently one wins, and none reads half a key.
        handle, temporary = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(temporary, path)
        Path(temporary).unlink()
    return SecretStr(path.read_text(encoding="ascii"))
