"""The settings of one server, read once; all faults are reported together, by name."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr, ValidationError

from config.branding import stray_images
from config.groups import (
    Administration,
    Browser,
    Firebase,
    Keys,
    Pages,
    Server,
    SignIn,
    Storage,
    Telemetry,
)
from config.kinds import describe_faults
from config.mail_aliases import MAIL_ALIASES, SECRET_MAIL_ALIASES, read_mail_aliases
from config.misspelt import Known, find_misspelt
from config.notice_groups import Inbox, Mail
from config.registrations import (
    Registrable,
    Registration,
    named_issuers,
    read_registrations,
)
from config.validators import comma_list
from config.variables import (
    Variables,
    read_env_file,
    read_secret,
    read_variables,
)
from errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY_MIN_CHARACTERS = 32


class Settings(
    Server,
    Keys,
    Storage,
    SignIn,
    Administration,
    Browser,
    Pages,
    Inbox,
    Mail,
    Firebase,
    Telemetry,
):
    """Everything an operator can choose: the groups, and a registration for each provider."""

    registrations: Mapping[str, Registration] = {}
    # Variables that look like settings and have no effect; they are logged at the start.
    warnings: tuple[str, ...] = ()

    @property
    def browser_session_cookie(self) -> str:
        """Name of the session cookie that browsers get."""
        return self.session_cookie_name or ("__Host-session" if self.is_https else "session")

    @property
    def app_session_cookie(self) -> str:
        """Name of the session cookie that apps get."""
        return self.session_cookie_name or "session"

    def with_providers_of(self, other: Self) -> Self:
        """Copy these settings, with registrations, Firebase project and mail of ``other``."""
        replaced = (
            "registrations",
            "firebase_project_id",
            "firebase_jwks_url",
            "mail_url",
            "mail_from",
        )
        return self.model_copy(update={name: getattr(other, name) for name in replaced})


FIELDS = tuple(name for name in Settings.model_fields if name not in ("registrations", "warnings"))
# Older names of settings, by field.
ALIASES = {"brand_name": "APP_NAME"}
SECRET_FIELDS = frozenset(
    name for name in FIELDS if SecretStr.__name__ in str(Settings.model_fields[name].annotation)
)


def load(
    known: Iterable[Registrable],
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = ROOT / ".env",
) -> Settings:
    """Read the settings; the environment wins over ``env_file``.

    ``known`` are the providers. Raises SettingsError with all faults.
    """
    written = read_env_file(env_file)
    variables = read_variables(written, environ)
    faults: list[str] = []
    values = _read_fields(variables, faults)
    builtin = list(known)
    issuers = named_issuers(comma_list(values.get("oidc_providers", "")), builtin, faults)
    providers = [*builtin, *issuers]
    values["registrations"] = read_registrations(variables, providers, faults)
    read_mail_aliases(variables, values, faults)
    known_names = Known(
        [*FIELDS, *ALIASES.values(), *MAIL_ALIASES],
        [*SECRET_FIELDS, *SECRET_MAIL_ALIASES],
        providers,
    )
    misspelt, warnings = find_misspelt(written, variables, known_names)
    strays = stray_images(values.get("brand_assets_dir"), [one.name for one in providers])
    values["warnings"] = (*warnings, *strays)
    faults += misspelt
    settings, invalid = _build(values)
    faults += _as_written(invalid, variables) + _contradictions(settings)
    faults += _unknown_providers(settings, dict.fromkeys(each.name for each in providers))
    if faults:
        raise SettingsError([*faults, *settings.warnings])
    return settings


def load_or_exit(known: Iterable[Registrable]) -> Settings:
    """Read the settings; print the faults and end the process if there are any."""
    try:
        return load(known)
    except SettingsError as error:
        sys.exit(faults_in_words(error))


def faults_in_words(error: SettingsError) -> str:
    """Return what is said when the server does not start."""
    return "Quickstep cannot start with these settings:\n  " + "\n  ".join(error.faults)


def _read_fields(variables: Variables, faults: list[str]) -> dict[str, Any]:
    """Read the text of every field that is set."""
    values: dict[str, Any] = {}
    for field in FIELDS:
        name = field.upper()
        is_secret = field in SECRET_FIELDS
        text = read_secret(variables, name, faults) if is_secret else variables.get(name)
        if alias := variables.get(ALIASES.get(field, "")):
            if text not in (None, alias):
                faults.append(f"{name}: contradicts its alias {ALIASES[field]}")
            text = alias
        if text is not None:
            values[field] = text
    values.setdefault("public_url", f"http://localhost:{values.get('port', 5000)}")
    return values


def _build(values: dict[str, Any]) -> tuple[Settings, list[str]]:
    """Build the settings from the valid values, and describe the invalid ones."""
    try:
        return Settings(**values), []
    except ValidationError as error:
        bad = {str(fault["loc"][0]) for fault in error.errors()}
        good = {name: value for name, value in values.items() if name not in bad}
        return _build(good)[0], describe_faults(error, Settings)


def _as_written(faults: list[str], variables: Variables) -> list[str]:
    """Name a setting as the operator did, by its older name."""
    written = {
        field.upper(): alias
        for field, alias in ALIASES.items()
        if alias in variables and field.upper() not in variables
    }
    split = [line.partition(":") for line in faults]
    return [f"{written.get(name, name)}:{rest}" for name, _, rest in split]


def _contradictions(settings: Settings) -> list[str]:
    """Name the settings that are valid alone, but not together."""
    faults = _secret_key_faults(settings)
    if (settings.session_cookie_name or "").startswith("__") and not settings.is_https:
        faults.append("SESSION_COOKIE_NAME: the prefixes __Host- and __Secure- need https")
    faults += _firebase_faults(settings)
    if settings.mail_url and not settings.mail_from:
        faults.append("MAIL_FROM: must be set when MAIL_URL is, such as Acme <no-reply@acme.org>")
    if settings.access_file and settings.access_rules:
        faults.append("ACCESS_RULES: ACCESS_FILE is set too; keep one")
    if settings.demo and not settings.is_local:
        faults.append("DEMO: demo mode is for loopback only, and PUBLIC_URL is not")
    return faults


def _unknown_providers(settings: Settings, known: Iterable[str]) -> list[str]:
    """Report names that no provider has, in the settings that name some."""
    named = {
        "PROVIDERS": settings.providers,
        "ADMIN_PROVIDERS": settings.admin_providers,
        "ADMINS": [identity.partition(":")[0] for identity in settings.admins],
    }
    unknown = {
        setting: [name for name in names if name not in known] for setting, names in named.items()
    }
    return [
        f"{setting}: unknown {', '.join(names)}; there are {', '.join(known)}"
        for setting, names in unknown.items()
        if names
    ]


def _secret_key_faults(settings: Settings) -> list[str]:
    """Report a missing, short or ambiguous SECRET_KEY."""
    if settings.secret_key is None:
        missing = "SECRET_KEY: must be set when DATABASE_URL is (any long random text)"
        return [missing] if settings.database_url is not None else []
    faults, key = [], settings.secret_key.get_secret_value()
    if len(key) < SECRET_KEY_MIN_CHARACTERS and not settings.is_local:
        faults.append(f"SECRET_KEY: must have at least {SECRET_KEY_MIN_CHARACTERS} characters")
    if "," in key:
        # SECRET_KEY_FALLBACKS, where the key goes when it is replaced, is split at commas.
        faults.append("SECRET_KEY: must not contain a comma")
    return faults


def _firebase_faults(settings: Settings) -> list[str]:
    """Report settings without a project, and the emulator on a public server."""
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
