"""docs/reference/settings.md, .env.example and docs/start/go-live.md name existing settings."""

import re

import certifi
import pytest

import config
from config import reference
from config.inbox_registrations import InboxRegistration
from config.registrations import CREDENTIALS, Registration
from config.settings import FIELDS, ROOT
from providers import PROVIDERS
from simulator.apple import key_file
from tests.site import USUAL

GENERAL = {field.upper() for field in FIELDS}
OF_A_PROVIDER = {
    *(name.format("NAME") for names in CREDENTIALS.values() for name in names),
    *(f"NAME_{field.upper()}" for field in Registration.model_fields if field != "key"),
}


def variables_in(rows: str) -> set[str]:
    """The variables in the first cells of a table."""
    cells = re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([A-Z][A-Z_]+)`", cell)}


def test_the_page_of_settings_is_what_make_docs_writes():
    assert reference.PAGE.read_text() == reference.render(), "run: make docs"


@pytest.mark.parametrize("model", [*reference.GROUPS, Registration, InboxRegistration])
def test_every_setting_has_a_docstring(model):
    fields = set(model.__annotations__) - {"key", "model_config"}
    assert set(reference.attribute_docs(model)) == fields


def test_the_page_has_every_variable():
    assert variables_in(reference.render()) == GENERAL | OF_A_PROVIDER


def test_going_live_names_no_setting_that_does_not_exist():
    text = (ROOT / "docs" / "start" / "go-live.md").read_text()
    table = text.partition("## Settings")[2].partition("\n## ")[0]
    assert variables_in(table) <= GENERAL | OF_A_PROVIDER


def test_every_setting_is_in_the_example_and_every_one_there_works(tmp_path):
    text = (ROOT / ".env.example").read_text()
    names = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    assert names >= GENERAL
    for provider in USUAL:  # the example says that the others work alike
        assert {f"{provider.upper()}_CLIENT_ID", f"{provider.upper()}_CLIENT_SECRET"} <= names
    assert "NAME_CLIENT_ID" in text
    values = dict(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=(.+)$", text, re.MULTILINE))
    key = tmp_path / "key.p8"
    key.write_text(key_file())
    files = {name: str(key) for name in values if name.endswith("_FILE")}
    files["MAIL_CA_FILE"] = certifi.where()
    assert config.load(PROVIDERS.values(), values | files, None)
