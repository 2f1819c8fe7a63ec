"""The tables of providers in README.md and docs/providers/README.md say what the catalogue says."""

import pytest

from providers import PROVIDERS, reference


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.parent.name)
def test_the_table_of_providers_is_what_make_docs_writes(path):
    assert path.read_text() == reference.pages()[path], "run: make docs"


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.parent.name)
def test_the_table_has_every_provider(path):
    table = path.read_text().partition(reference.BEGIN)[2].partition(reference.END)[0]
    for provider in PROVIDERS.values():
        assert f"`/login/{provider.name}/authorized`" in table
