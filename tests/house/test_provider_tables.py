"""The names in README.md and the table in docs/providers/README.md say what the catalogue says."""

import re

import pytest

from config import ROOT
from providers import PROVIDERS, reference


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.parent.name)
def test_the_page_of_providers_is_what_make_docs_writes(path):
    assert path.read_text() == reference.pages()[path], "run: make docs"


def test_the_table_has_every_provider():
    table = reference.INDEX.read_text().partition(reference.BEGIN)[2].partition(reference.END)[0]
    for provider in PROVIDERS.values():
        assert f"`/login/{provider.name}/authorized`" in table


def test_the_readme_counts_the_providers():
    (count,) = re.findall(r"with (\d+) providers", (ROOT / "README.md").read_text())
    assert int(count) == len({provider.name for provider in PROVIDERS.values()})
