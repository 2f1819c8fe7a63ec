"""The kinds of values in the settings: one annotated type for each, with its check.

A check raises ValueError with a message that completes "NAME: …". The string in each type says in
the reference page what the type accepts (config/reference.py).
"""

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, SecretStr

from config.branding import check_accent, check_assets, check_image

REDIS_OPTION = r"db=\d{1,4}|ssl_ca_certs=/[\w./-]+"

# The first segments of our routes.
OWN_PATHS = (
    *("login", "logout", "account", "api", "auth", "static", "_quickstep", "setup", "docs"),
    *("oauth2", "admin", "inbox", "join", "connect", "gate", "forward-auth"),
)


def is_loopback(host: str | None) -> bool:
    """Whether a host name (without port or brackets) can only mean this machine."""
    if not host:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def comma_list(value: Any) -> Any:
    """Split comma-separated text; leave everything else to Pydantic."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def check_endpoint(url: str) -> str:
    """Accept a URL that requests may go to: https, or http on a loopback host."""
    parts = urlsplit(url)
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        raise ValueError("must be an absolute URL without user name or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must start with https:// (http:// is for loopback hosts only)")
    return url


def check_base_url(url: str) -> str:
    """Return an address that paths hang on, with a slash at its end: without one, ``urljoin``
    replaces its last segment."""
    if urlsplit(check_endpoint(url)).query:
        raise ValueError("must be without a query: paths are added to it")
    return url if url.endswith("/") else f"{url}/"


def check_public_url(url: str) -> str:
    """Accept scheme and host, without a path."""
    url = check_endpoint(url).rstrip("/")
    if urlsplit(url).path or urlsplit(url).query:
        raise ValueError("must be scheme and host only, such as https://login.example.org")
    return url


def check_path_prefix(prefix: str) -> str:
    """Accept the beginning of a path that no route of ours has."""
    prefix = prefix.rstrip("/")
    if prefix and not re.fullmatch(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", prefix):
        raise ValueError("must be a path such as /sso")
    if prefix.split("/")[1:2] and prefix.split("/")[1] in OWN_PATHS:
        raise ValueError(f"must not begin with a path of the server's own: {', '.join(OWN_PATHS)}")
    return prefix


def check_page_url(url: str) -> str:
    """Accept a link for people: a web page or a mail address."""
    if url.startswith("mailto:") and "@" in url:
        return url
    return check_endpoint(url)


def check_origin(origin: str) -> str:
    """Return an origin as browsers send it in their Origin header (RFC 6454 6.2)."""
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


def check_domain(domain: str) -> str:
    """Return a domain in lower case."""
    domain = domain.lower().removeprefix("@")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", domain) or "." not in domain:
        raise ValueError(f"has {domain!r}, which is not a domain such as example.org")
    return domain


def check_identity(text: str) -> str:
    """Accept ``provider:subject``, which identifies a person; an e-mail address does not."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*:\S+", text):
        raise ValueError(f"has {text!r}, which is not provider:subject, such as github:583231")
    return text


def check_document_host(host: str) -> str:
    """Return a host in lower case, or ``*``."""
    return host if host == "*" else check_domain(host)


def check_database_url(url: SecretStr) -> SecretStr:
    """Return a URL that names our PostgreSQL driver, or SQLite."""
    scheme, _, rest = url.get_secret_value().partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return SecretStr(f"postgresql+psycopg://{rest}")
    if scheme == "sqlite":
        return url
    raise ValueError("must start with sqlite:// or postgresql://")


def check_redis_url(url: SecretStr) -> SecretStr:
    """Refuse parts that the Redis client would silently misread.

    It would take a misspelt database for another one, and a query can turn certificate checks off.
    """
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


def check_cookie_name(name: str) -> str:
    """Accept a cookie name (RFC 6265 4.1.1)."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", name):
        raise ValueError("must be a cookie name (RFC 6265 4.1.1)")
    return name


def check_emulator_host(value: str) -> str:
    """Accept host:port on this machine."""
    parts = urlsplit(f"//{value}")
    is_bare = parts.netloc == value and "@" not in value
    if not (is_bare and is_loopback(parts.hostname) and parts.port):
        raise ValueError("must be host:port of this machine, such as 127.0.0.1:9099")
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(comma_list), "comma-separated names"]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(comma_list), "comma-separated texts"]
Endpoint = Annotated[str, AfterValidator(check_endpoint), "a URL"]
BaseURL = Annotated[str, AfterValidator(check_base_url), "a URL"]
PathPrefix = Annotated[str, AfterValidator(check_path_prefix), "a path, such as `/sso`"]
PublicURL = Annotated[str, AfterValidator(check_public_url), "a URL without a path"]
PageURL = Annotated[str, AfterValidator(check_page_url), "an https or mailto URL"]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(check_origin)], ...],
    BeforeValidator(comma_list),
    "comma-separated origins",
]
Identities = Annotated[
    tuple[Annotated[str, AfterValidator(check_identity)], ...],
    BeforeValidator(comma_list),
    "comma-separated identities, such as `github:583231`",
]
Networks = Annotated[
    tuple[IPvAnyNetwork, ...],
    BeforeValidator(comma_list),
    "comma-separated networks, such as `10.0.0.0/8`",
]
Domain = Annotated[str, AfterValidator(check_domain), "a domain"]
Domains = Annotated[tuple[Domain, ...], BeforeValidator(comma_list), "comma-separated domains"]
DocumentHosts = Annotated[
    tuple[Annotated[str, AfterValidator(check_document_host)], ...],
    BeforeValidator(comma_list),
    "comma-separated hosts, or `*`",
]
DatabaseURL = Annotated[
    SecretStr, AfterValidator(check_database_url), "`postgresql://…` or `sqlite:///…`"
]
RedisURL = Annotated[
    SecretStr, AfterValidator(check_redis_url), "`redis://…`, `rediss://…` or `unix:///…`"
]
Accent = Annotated[str, AfterValidator(check_accent), "`#rrggbb`, or two of them"]
ImageFile = Annotated[
    str, AfterValidator(check_image), "path of an SVG, PNG, WebP or JPEG file of at most 256 KiB"
]
AssetsFolder = Annotated[str, AfterValidator(check_assets), "path of a folder"]
CookieName = Annotated[str, AfterValidator(check_cookie_name), "a cookie name"]
EmulatorHost = Annotated[str, AfterValidator(check_emulator_host), "host:port on loopback"]
ProxyCount = Annotated[
    int, Field(ge=0, le=10), "a number from 0 to 10: how many proxies are in front"
]
ProjectId = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,64}$"), "a project id of letters, digits and `.:_-`"
]
ApiVersion = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$"), "a version such as `v26.0`"]
