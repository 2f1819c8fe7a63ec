"""The generated pages in docs/reference/ are what `make docs` writes, and lack nothing."""

import inspect

import pytest

import errors
from telemetry import reference as metrics_reference
from web.text import reference as error_reference

PAGES = (error_reference, metrics_reference)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.PAGE.stem)
def test_the_reference_page_is_what_make_docs_writes(page):
    assert page.PAGE.read_text() == page.render(), "run: make docs"


def test_the_page_has_every_error_code_with_its_cause():
    page = error_reference.render()
    for name, error in inspect.getmembers(errors, inspect.isclass):
        code = vars(error).get("code")
        if code and error is not errors.Problem and error is not errors.RequestFault:
            assert f"| `{code}` | " in page
            assert error_reference.when(error), f"{name} has no docstring"


def test_every_metric_that_is_served_is_on_the_page(site):
    served = site.browser().get("/metrics").html
    names = {
        line.split()[2] for line in served.splitlines() if line.startswith("# TYPE quickstep_")
    }
    created = {name for name in names if name.endswith("_created")}
    assert names - created == {name for name, *_ in metrics_reference.rows()}
