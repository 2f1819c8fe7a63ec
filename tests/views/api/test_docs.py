"""The OpenAPI document and its page: complete, and readable without other hosts."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import errors

GUIDE = (Path(__file__).parents[3] / "docs" / "integrate" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def document(browser):
    return browser.fetch("/openapi.json").response.json()


def operations(document) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_api_route_is_in_the_openapi_document(site, document):
    routes = {
        f"{method} {rule.rule.replace('<', '{').replace('>', '}')}"
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes
    assert routes <= set(operations(document))


def test_the_openapi_document_states_what_each_operation_needs(document):
    change = operations(document)["PATCH /api/v1/me"]
    assert change["security"] == [{"session": [], "csrf": []}, {"bearer": []}]
    assert {"200", "400", "401", "403", "413", "415", "422", "429"} <= set(change["responses"])
    schemes = document["components"]["securitySchemes"]
    assert schemes["session"]["name"] == "session"
    name = document["components"]["schemas"]["NameChange"]
    assert name["additionalProperties"] is False
    assert document["openapi"].startswith("3.1.")


def test_the_openapi_document_follows_the_settings(make_site):
    site = make_site(
        PUBLIC_URL="https://login.example.org",
        SESSION_COOKIE_NAME="__Host-s",
        BRAND_NAME="Example",
    )
    document = site.browser().fetch("/openapi.json").response.json()
    assert document["servers"] == [{"url": "https://login.example.org"}]
    assert document["info"]["title"] == "Example API"
    assert document["components"]["securitySchemes"]["session"]["name"] == "__Host-s"


def test_every_body_and_answer_has_an_example_that_matches_its_schema(document):
    for name, operation in operations(document).items():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        contents = [each for body in bodies for each in body.get("content", {}).items()]
        assert contents, name
        for media_type, content in contents:
            if "json" not in media_type:
                continue
            schema = {**content["schema"], "components": document["components"]}
            jsonschema_rs.validate(schema, content["example"], validate_formats=True)
    missing = operations(document)["DELETE /api/v1/sessions/{session_id}"]["responses"]["404"]
    example = missing["content"]["application/problem+json"]["example"]
    assert (example["status"], example["code"]) == (404, "not_found")


def test_over_https_the_openapi_document_has_the_cookies_of_browsers_and_of_apps(make_site):
    site = make_site(PUBLIC_URL="https://login.example.org", look_alikes=("google",))
    document = site.browser().fetch("/openapi.json").response.json()
    schemes = document["components"]["securitySchemes"]
    names = [schemes[name]["name"] for name in ("session", "app_session")]
    assert names == ["__Host-session", "session"]
    change = operations(document)["PATCH /api/v1/me"]
    assert change["security"] == [{"session": [], "csrf": []}, {"app_session": [], "csrf": []}]


def test_without_firebase_the_openapi_document_mentions_no_bearer_token(make_site):
    document = make_site(look_alikes=("google",)).browser().fetch("/openapi.json").response.json()
    assert "bearer" not in document["info"]["description"]
    assert "bearer" not in document["components"]["securitySchemes"]
    assert all(
        {"bearer": []} not in each.get("security", []) for each in operations(document).values()
    )


def test_wrong_use_of_the_openapi_document_is_a_problem_document(browser):
    page = browser.fetch("/openapi.json", "PUT")
    assert (page.status, page.response.json()["code"]) == (405, "method_not_allowed")


def test_the_api_page_lists_every_operation_and_schema_without_a_session(browser, document):
    page = browser.fetch("/docs")
    assert page.status == 200
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    for operation in operations(document).values():
        assert operation["summary"] in page.text
        assert f'id="{operation["operationId"]}"' in page.html
    for name, schema in document["components"]["schemas"].items():
        assert f'id="schema-{name}"' in page.html
        assert all(f"<code>{field}</code>" in page.html for field in schema["properties"])
    inside = [link for link in page.links() if link.startswith("#")]
    assert all(f'id="{link[1:]}"' in page.html for link in inside)


def test_the_api_page_loads_nothing_from_other_hosts(browser):
    fetched = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', browser.fetch("/docs").html)
    assert fetched
    assert all(address.startswith("/_quickstep/static/") for address in fetched)


def test_the_api_guide_covers_every_operation_and_error_code(document):
    of_the_api = [each for each in operations(document) if "/api/" in each]
    assert of_the_api
    for operation in of_the_api:
        assert f"`{re.sub('{[a-z_]+}', '<id>', operation)}`" in GUIDE
    for fault in errors.RequestFault.__subclasses__():
        assert f"`{fault.code}`" in GUIDE
