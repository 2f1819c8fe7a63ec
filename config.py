"""Settings, built once from the environment and ``.env``; every fault is named at once.

The only module that reads the environment. README.md and .env.example describe each
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

from clients import (
    ClientSettings,
    Domain,
    Registrable,
    check_endpoint,
    describe_faults,
    is_loopback,
    named_issuers,
    read_clients,
    read_secret,
)
from errors import SettingsError

ROOT = Path(__file__).resolve().parent
SECRET_KEY_MIN_CHARACTERS = 32


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


def _comma_list(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


PageURL = Annotated[str, AfterValidator(_check_page_url)]
Names = Annotated[tuple[str, ...], BeforeValidator(_comma_list)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_comma_list)]
Domains = Annotated[tuple[Domain, ...], BeforeValidator(_comma_list)]


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
    oidc_providers: Names = ()
    account_linking: Literal["ask", "auto", "separate"] = "ask"
    allowed_email_domains: Domains = ()
    signups: Literal["open", "closed"] = "open"
    refusals_per_minute: Annotated[int, Field(ge=1)] = 120
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


SECRET_FIELDS = frozenset(
    {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "TOKEN_ENCRYPTION_KEYS", "DATABASE_URL"}
)


def load(
    known: Iterable[Registrable],
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = ROOT / ".env",
) -> Settings:
    """Read the settings; a variable in the environment beats the same one in ``env_file``.

    An empty value counts as unset. Raises SettingsError with every fault at once.
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
        if field != "clients" and value is not None:
            values[field] = value
    if "public_url" not in values:
        values["public_url"] = f"http://localhost:{values.get('port', 5000)}"
    known = list(known)
    issuers = named_issuers(_comma_list(values.get("oidc_providers", "")), known, faults)
    values["clients"] = read_clients(variables, [*known, *issuers], faults)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(faults + describe_faults(error)) from None
    names = dict.fromkeys(provider.name for provider in [*known, *issuers])
    faults += _cross_faults(settings, list(names))
    if faults:
        raise SettingsError(faults)
    return settings


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
    if settings.demo and not settings.is_local:
        faults.append("DEMO: demo mode is for loopback only, and PUBLIC_URL is not")
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
