"""Variables that look like settings but are none, so that no misspelt name passes silently.

In ``.env``, which is ours, such a name is a fault. The environment may hold those of other
programs: there it is a warning, which the log shows at the start.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches

from config.inbox_registrations import INBOX_SECRETS
from config.registrations import CREDENTIALS, SECRET_CREDENTIALS, Registrable, Registration
from config.variables import Variables

CREDENTIAL = re.compile(
    r"(?:(?P<stem>[A-Z][A-Z0-9_]*?)(?:_OAUTH)?_CLIENT_(?:ID|SECRET)|AUTH_(?P<auth>[A-Z0-9_]+)_(?:ID|SECRET))"
    r"(?:_FILE)?"
)
ISSUER_SETTING = re.compile(
    rf"OIDC_(?P<issuer>[A-Z0-9_]+)_(?:{'|'.join(Registration.model_fields).upper()})(?:_FILE)?"
)
# How alike two names must be: 1 is equal.
ALIKE_STEMS = 0.7
ALIKE_NAMES = 0.85


class Known:
    """The names that have a meaning."""

    def __init__(
        self, fields: Iterable[str], secrets: Collection[str], providers: Iterable[Registrable]
    ) -> None:
        self.providers = {provider.key.upper(): provider for provider in providers}
        general = {field.upper() for field in fields}
        files = {f"{field.upper()}_FILE" for field in secrets}
        self.names = general | files
        for stem, provider in self.providers.items():
            self.names.update(_names_of(stem, provider))

    def closest(self, name: str) -> str | None:
        """Return the name that was probably meant."""
        found = CREDENTIAL.fullmatch(name)
        if found:
            stem = found["stem"] or found["auth"]
            meant = get_close_matches(stem, self.providers, 1, ALIKE_STEMS)
            if meant and meant[0] != stem:
                return name.replace(stem, meant[0], 1)
        stem = next((each for each in self.providers if name.startswith(f"{each}_")), None)
        if stem:  # GITHUB_TOKEN is another program's, and not GITHUB_TOKEN_URL
            rests = {each.removeprefix(f"{stem}_"): each for each in self.names}
            meant = get_close_matches(name.removeprefix(f"{stem}_"), rests, 1, ALIKE_NAMES)
            return rests[meant[0]] if meant and rests[meant[0]].startswith(stem) else None
        return next(iter(get_close_matches(name, self.names, 1, ALIKE_NAMES)), None)


def find_misspelt(
    written: Mapping[str, str | None], variables: Variables, known: Known
) -> tuple[list[str], tuple[str, ...]]:
    """Return the faults, of names in ``.env``, and the warnings, of all others."""
    faults: list[str] = []
    warnings = list(_without_effect(variables, known))
    for name in sorted({*variables, *written}):
        if name not in known.names and (line := _describe(name, known)):
            (faults if name in written else warnings).append(line)
    return faults, tuple(warnings)


def _describe(name: str, known: Known) -> str | None:
    """Say what is wrong with a name that is not known; None if it seems to be another program's."""
    if found := ISSUER_SETTING.fullmatch(name):
        return f"{name}: OIDC_PROVIDERS does not name {found['issuer'].lower()}"
    if meant := known.closest(name):
        return f"{name}: there is no such setting; did you mean {meant}?"
    if CREDENTIAL.fullmatch(name):
        return f"{name}: there is no such provider"
    return None


def _without_effect(variables: Variables, known: Known) -> Iterator[str]:
    """Describe the settings of a registered provider that it does not use."""
    for stem, provider in known.providers.items():
        used = {*provider.credentials, *provider.optional_credentials, *provider.settings}
        if not any(name in variables for name in _names_of(stem, provider) if "_ID" in name):
            continue
        for field in Registration.model_fields:
            name = f"{stem}_{field.upper()}"
            if field not in (*used, "key") and name in variables:
                yield f"{name}: has no effect on {provider.name}"


def _names_of(stem: str, provider: Registrable) -> Iterator[str]:
    """Return the variables of one provider."""
    for credential in (*provider.credentials, *provider.optional_credentials):
        for template in CREDENTIALS[credential]:
            yield template.format(stem)
            if credential in SECRET_CREDENTIALS:
                yield f"{template.format(stem)}_FILE"
    for setting in provider.settings:
        yield f"{stem}_{setting.upper()}"
        if setting in INBOX_SECRETS:
            yield f"{stem}_{setting.upper()}_FILE"
