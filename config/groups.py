"""The settings, in groups. Field ``brand_name`` is variable ``BRAND_NAME``, and so on.

To add a setting, write its field here with a docstring, use it, and run ``make docs``. A field that
holds a SecretStr can also be read from a file (``NAME_FILE``).
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from config.validators import (
    Accent,
    AssetsFolder,
    CookieName,
    DatabaseURL,
    DocumentHosts,
    Domains,
    EmulatorHost,
    Endpoint,
    Identities,
    ImageFile,
    Names,
    Networks,
    Origins,
    PageURL,
    PathPrefix,
    ProjectId,
    ProxyCount,
    PublicURL,
    RedisURL,
    Secrets,
    is_loopback,
)


class Group(BaseModel):
    """A part of the settings."""

    model_config = ConfigDict(frozen=True)


class Server(Group):
    """Where the server is reached, and how much of the machine it uses."""

    public_url: PublicURL = ""
    """Address at which people reach the server, such as `https://login.example.org`. Callback URLs
    are built from it. Default: `http://localhost:$PORT`."""

    path_prefix: PathPrefix = ""
    """Path below which this server answers on a host that it shares with an application, such as
    `/sso`: redirect URIs and links have it. Paths without it go on working."""

    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    """TCP port of `make run`."""

    trusted_proxies: ProxyCount = 0
    """Number of proxies in front whose `X-Forwarded-*` headers are trusted."""

    web_concurrency: Annotated[int, Field(ge=1, le=256)] | None = None
    """Number of worker processes. Default: one for each processor, 2 to 8."""

    demo: bool | None = None
    """`1`: sign-in uses simulated providers, on loopback only. `0`: never. Default: `make run`
    turns it on while no provider is configured."""

    @property
    def host(self) -> str:
        """Host of the public URL, with a port that is not the scheme's default."""
        return urlsplit(self.public_url).netloc

    @property
    def base_url(self) -> str:
        """Address that the paths of the routes hang on."""
        return self.public_url + self.path_prefix

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the server over https."""
        return self.public_url.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether people can reach this server from this machine only."""
        return is_loopback(urlsplit(self.public_url).hostname)


class Keys(Group):
    """Secrets that sign cookies and seal provider tokens ([rotation](../operate/operation.md))."""

    secret_key: SecretStr | None = None
    """Signs cookies and, unless `TOKEN_ENCRYPTION_KEYS` is set, seals tokens. Any long random text,
    at least 32 characters on a public server. Required with `DATABASE_URL`. Default: a key is made
    and kept in `instance/secret_key` (mode 0600)."""

    secret_key_fallbacks: Secrets = ()
    """Further keys that still verify signatures and open tokens. On several instances a new key
    starts here ([scaling](../operate/scaling.md))."""

    token_encryption_keys: Secrets = ()
    """The first key seals provider tokens; all of them open. Default: the secret keys."""


class Storage(Group):
    """Where people are stored, and what several instances share."""

    database_url: DatabaseURL | None = None
    """Database of people, sessions and tokens. Default: SQLite in `instance/`."""

    database_pool_size: Annotated[int, Field(ge=1, le=500)] = 10
    """Most PostgreSQL connections that each process opens; 10 is enough for 16 threads."""

    redis_url: RedisURL | None = None
    """Where several instances count limits together. Default: each process counts for itself, as it
    also does while Redis is unreachable."""


class SignIn(Group):
    """Which ways to sign in are offered, and who may use them."""

    providers: Names = ()
    """Order of the buttons, such as `github,google`. Default: the order of the provider list."""

    oidc_providers: Names = ()
    """OpenID Connect issuers, by names that you choose, such as `acme,kc`. Each lives at
    `/login/acme` and has variables that begin with `OIDC_ACME_`."""

    account_linking: Literal["ask", "auto", "separate"] = "ask"
    """How an unknown identity with the address of an existing account is treated
    ([linking](../understand/linking.md))."""

    signups: Literal["open", "invited", "approval", "closed"] = "open"
    """Whether people without an account get one: everybody; those who open the link of an
    invitation; everybody, but you let each in (`approval`); or nobody
    ([new accounts](../operate/new-accounts.md))."""

    allowed_email_domains: Domains = ()
    """Only people with a verified address in one of these domains may sign in. Providers that never
    verify one have no button for newcomers. Default: everyone."""

    access_file: str | None = None
    """TOML file of the rules on who may come in: domains, organisations, roles, groups
    ([access rules](../operate/access.md)). A file without a rule lets in nobody. Default: everyone
    may."""

    access_rules: str | None = None
    """The same rules as text, in place of `ACCESS_FILE`."""

    apps_default: Literal["open", "closed"] = "open"
    """Whether an application without rules of its own is for everyone (`open`) or for nobody
    (`closed`) ([apps](../integrate/apps.md))."""

    client_document_hosts: DocumentHosts = ()
    """Hosts whose documents may describe applications, such as `claude.ai,vscode.dev`; `*`: any.
    Their people need no `clients add`. Default: none ([apps](../integrate/apps.md))."""

    refusals_per_minute: Annotated[int, Field(ge=1)] = 120
    """Refused sign-ins per minute that one address (IPv6: one /64) may cause. A failure of the
    provider counts a fifth."""


class Administration(Group):
    """The operator's pages below `/admin` ([administration](../operate/administration.md))."""

    admin: Literal["on", "off"] = "on"
    """`off`: there are no such pages. Without an administrator they answer 404 to everybody."""

    admin_api: Literal["on", "off"] = "off"
    """`on`: programs with the scope `admin` may do the same through `/api/v1/admin`, also with
    `ADMIN=off` ([API](../operate/admin-api.md))."""

    admins: Identities = ()
    """Identities whose people administer this site, such as `github:583231`, besides those whom
    `flask --app app users admin` or a link made one."""

    admin_networks: Networks = ()
    """Networks from which `/admin` and `/api/v1/admin` can be reached, such as `10.0.0.0/8`;
    elsewhere they answer 404. Default: any."""

    admin_providers: Names = ()
    """Providers with which administrators must have signed in, and sign in again before a change.
    Default: any."""


class Browser(Group):
    """Cookies and cross-origin access."""

    session_cookie_name: CookieName | None = None
    """One name of the session cookie for browsers and apps. Default over https: `__Host-session`
    for browsers, which no other host can plant, and `session` for apps; over http: `session`."""

    cors_origins: Origins = ()
    """Origins whose pages may call the API from a browser, and be returned to after a sign-in, such
    as `https://app.example.org`. Default: none."""


class Pages(Group):
    """Names and links on the pages."""

    brand_name: Annotated[str, Field(max_length=60)] = "Quickstep"
    """Name of this server on its pages. Alias: `APP_NAME`."""

    brand_logo: ImageFile | None = None
    """Image in place of icon and name at the top of pages. With `logo.dark.svg` next to `logo.svg`,
    the dark theme shows that one ([branding](../operate/branding.md))."""

    brand_icon: ImageFile | None = None
    """Square image for the browser's tab, and next to the name where there is no logo. Default:
    Quickstep's."""

    brand_accent: Accent | None = None
    """Colour of the main button, such as `#2f5bd7`; or two, for the light and the dark theme. A
    colour that does not stand out in its theme is refused at the start. Default: a blue."""

    brand_assets_dir: AssetsFolder | None = None
    """Folder with the marks that providers hand out for sign-in buttons: `google.svg`, and
    `google.dark.svg` for the dark theme. Default: the marks that come with Quickstep, and a letter
    where none may be passed on."""

    support_url: PageURL | None = None
    """Target of the link "Trouble signing in?"."""

    terms_url: PageURL | None = None
    """Terms of service. Shown under the buttons when `PRIVACY_URL` is set too."""

    privacy_url: PageURL | None = None
    """Privacy policy. Shown under the buttons when `TERMS_URL` is set too."""


class Firebase(Group):
    """Firebase ID tokens of mobile apps ([mobile](../integrate/mobile.md))."""

    firebase_project_id: ProjectId | None = None
    """Project whose ID tokens are accepted. Default: none."""

    firebase_jwks_url: Endpoint | None = None
    """Where the project's keys are: a JWK set, or the X.509 certificate map. Default: Google's."""

    firebase_tenant_id: str | None = None
    """Only accept tokens of this tenant. Default: only tokens without a tenant."""

    firebase_auth_emulator_host: EmulatorHost | None = None
    """Also accept the unsigned tokens of Firebase's emulator, such as at `127.0.0.1:9099`. Anybody
    can write such tokens: for development on this machine only."""


class Telemetry(Group):
    """Logs and metrics ([operation](../operate/operation.md))."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe lines that are logged."""

    log_format: Literal["text", "json"] = "text"
    """Text for people or JSON for machines."""

    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    """Bearer token that may read `/metrics`. Default: only this machine may, and nobody when
    `TRUSTED_PROXIES` is set."""
