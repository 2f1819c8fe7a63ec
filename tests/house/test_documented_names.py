"""The commands, options, targets, files and settings that the docs name exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import flask_migrate.cli
import pytest

from commands import migrations
from config import ROOT
from config.registrations import CREDENTIALS, Registration
from config.settings import FIELDS
from tests.house.test_links import documents

PAGES = [
    name
    for name in documents()
    if name.startswith(("docs/", "README", "CONTRIBUTING")) and "/decisions/" not in name
]
COMMAND = re.compile(r"flask --app app ((?:[a-z][a-z-]*(?: |\b))+)((?:[^`\n#|.;]| \.)*)")
TARGET = re.compile(r"(?:^|`|&& )(?:[A-Z]+=\S+ )?make ([a-z-]+)", re.MULTILINE)
FOLDERS = "accounts|bench|commands|config|deploy|docs|jobs|keys|migrations|providers|simulator"
FILE = re.compile(
    rf"`((?:{FOLDERS}|static|storage|telemetry|templates|tests|vault|views|web)/[\w./-]*)`"
)
SETTING = re.compile(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands_in(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The words of each printed command, and its options."""
    for words, rest in COMMAND.findall(text):
        yield words.split(), re.findall(r"(--[a-z-]+)", rest)


def find(root: click.Group, words: list[str]) -> click.Command:
    """The command that these words name; the words after it are arguments."""
    found: click.Command = root
    for word in words:
        if isinstance(found, migrations.Group):
            found = flask_migrate.cli.db
        if not isinstance(found, click.Group):
            break
        known = found.get_command(click.Context(found), word)
        assert known, f"there is no command {' '.join(words)}"
        found = known
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists_with_its_options(page, make_app):
    for words, options in commands_in(text_of(page)):
        command = find(make_app.cli, words)
        known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        assert set(options) <= known, f"{page}: {words}"


@pytest.fixture(scope="module")
def make_app(tmp_path_factory):
    import app  # noqa: PLC0415 (only where it is needed)
    import config  # noqa: PLC0415
    from providers import PROVIDERS  # noqa: PLC0415

    path = tmp_path_factory.mktemp("names") / "unused.sqlite"
    variables = {"SECRET_KEY": "k" * 40, "DATABASE_URL": f"sqlite:///{path}"}
    return app.create_app(config.load(PROVIDERS.values(), variables, None))


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_a_page_names_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert set(TARGET.findall(text_of(page))) <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page):
    named = {path.rstrip(".") for path in FILE.findall(text_of(page))}
    assert {path for path in named if "<" not in path and not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_a_page_names_exists(page):
    code = "\n".join(path.read_text() for path in CODE)
    assert {name for name in SETTING.findall(text_of(page)) if not is_known(name, code)} == set()


CODE = [
    path
    for path in (*ROOT.glob("*.py"), *ROOT.glob("[a-z]*/**/*.py"), ROOT / "compose.yaml")
    if "tests" not in Path(path).relative_to(ROOT).parts
]
GENERAL = {field.upper() for field in FIELDS}
REGISTRATION = {f"_{field.upper()}" for field in Registration.model_fields}
ALIASES = {each.format("NAME") for aliases in CREDENTIALS.values() for each in aliases}


# Names of Apache, Auth.js and the example of Express.
OF_OTHERS = {"REMOTE_USER", "AUTH_SECRET", "AUTH_URL", "APP_URL"}


def is_known(name: str, code: str) -> bool:
    """Whether a setting of ours, a provider's, or another program's has this name."""
    own = name.removesuffix("_FILE")
    is_ours = {name, own} & {*GENERAL, *ALIASES} or own.endswith(tuple(REGISTRATION))
    return bool(is_ours) or own in OF_OTHERS or own in code


def test_the_pages_name_commands_at_all():
    named = [words for page in PAGES for words, _options in commands_in(text_of(page))]
    assert len(named) > 20
