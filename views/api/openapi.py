"""The OpenAPI 3.1 document, made from what the views declare (views/api/operations.py)."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from flask import current_app
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from werkzeug.routing import Rule

from issuer import scopes
from views.api.examples import REF_PREFIX, fill_in_examples
from views.api.operations import JSON, OPERATIONS, Operation, Text
from web.context import site
from web.problem_details import ProblemDetails
from web.request_info import SAFE_METHODS

API_VERSION = "1.0.0"
PROBLEM_JSON = "application/problem+json"
REF = REF_PREFIX + "{model}"
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")

COOKIE, APP_COOKIE, CSRF, BEARER = "session", "app_session", "csrf", "bearer"
PROGRAM = "program"
INTRODUCTION = (
    "A program acts for the person whose session cookie it brings. "
    "A change needs the header X-CSRF-Token too; its value stands in the answer to GET /api/v1/me."
)
WITH_BEARER = (
    " The apps of a Firebase project may send their ID token as a bearer token in place of both."
)
FOR_PROGRAMS = (
    " The operations under /api/v1/admin are for programs that act for themselves: they bring an "
    "access token of their own (client credentials) with the scope admin."
)
CHALLENGE = {"WWW-Authenticate": "The challenge of RFC 6750."}
WAIT = {"Retry-After": "Seconds to wait."}
PROBLEMS = {
    400: "The request cannot be understood.",
    401: "Nobody is signed in, or the bearer token is invalid.",
    403: "csrf: the header X-CSRF-Token is missing or does not match the session.",
    404: "No such thing, or not yours.",
    413: "The body is longer than 64 KiB.",
    415: "The body has another content type.",
    422: "The body has unknown, read-only or bad fields; errors names each.",
    429: "Too many changes of this account.",
    503: "The database does not answer.",
}

# The same where a program acts for itself.
PROBLEMS_OF_PROGRAMS = PROBLEMS | {
    401: "There is no access token, or it is invalid.",
    403: "insufficient_scope: the token is a person's, or lacks the scope admin.",
    404: "No such thing, or ADMIN_NETWORKS does not name yours.",
    429: "Too many changes by this program.",
}


@dataclass(frozen=True)
class Route:
    """One declared operation, and its route."""

    path: str
    method: str
    name: str
    arguments: tuple[str, ...]
    view: Callable[..., Any]
    operation: Operation


class PlainJsonSchema(GenerateJsonSchema):
    """JSON Schema without titles that only repeat field names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (pydantic's signature)
        return False


def routes() -> Iterator[Route]:
    """Return every declared operation of this application, in the order of the declarations; those
    of programs come last."""
    views = current_app.view_functions
    rules = {views[rule.endpoint]: rule for rule in current_app.url_map.iter_rules()}
    for view in sorted(OPERATIONS, key=lambda view: OPERATIONS[view].is_of_programs):
        for method in METHODS:
            if view in rules and method in (rules[view].methods or ()):
                yield _route(rules[view], method, view)


def _route(rule: Rule, method: str, view: Callable[..., Any]) -> Route:
    path = rule.rule.replace("<", "{").replace(">", "}")
    arguments = tuple(sorted(rule.arguments))
    return Route(path, method, view.__name__, arguments, view, OPERATIONS[view])


def document() -> dict[str, Any]:
    """Build the document for this application's settings."""
    settings = site().settings
    paths: dict[str, Any] = {}
    found = list(routes())
    for route in found:
        paths.setdefault(route.path, {})[route.method.lower()] = describe_route(route)
    models = schemas(found)
    fill_in_examples(paths, models)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.brand_name} API",
            "version": API_VERSION,
            "description": introduction(),
        },
        "servers": [{"url": settings.base_url}],
        "paths": paths,
        "components": {"schemas": models, "securitySchemes": security_schemes()},
    }


def introduction() -> str:
    told = INTRODUCTION + (WITH_BEARER if site().firebase else "")
    return told + (FOR_PROGRAMS if has_programs() else "")


def has_programs() -> bool:
    """Tell whether this site has the administrators' API."""
    return site().settings.admin_api == "on"


def cookie_names() -> dict[str, str]:
    """Return the session cookies by scheme: that of browsers, and that of apps if it differs."""
    settings = site().settings
    browsers, apps = settings.browser_session_cookie, settings.app_session_cookie
    return {COOKIE: browsers} | ({APP_COOKIE: apps} if apps != browsers else {})


def security_schemes() -> dict[str, Any]:
    schemes: dict[str, Any] = {
        scheme: {"type": "apiKey", "in": "cookie", "name": name}
        for scheme, name in cookie_names().items()
    }
    schemes[CSRF] = {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"}
    if has_programs():
        token_url = f"{site().settings.base_url}/oauth2/token"
        flow = {"tokenUrl": token_url, "scopes": {scopes.ADMIN: "Administer this site."}}
        schemes[PROGRAM] = {"type": "oauth2", "flows": {"clientCredentials": flow}}
    if site().firebase:
        schemes[BEARER] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return schemes


def schemas(found: list[Route]) -> dict[str, Any]:
    """Return the models of the operations as JSON Schema."""
    models: dict[tuple[type[BaseModel], Literal["validation", "serialization"]], None] = {
        (ProblemDetails, "serialization"): None
    }
    for route in found:
        body, answer = route.operation.body, route.operation.answer
        if isinstance(body, type):
            models[body, "validation"] = None
        if isinstance(answer, type):
            models[answer, "serialization"] = None
    _, together = models_json_schema(
        list(models), ref_template=REF, schema_generator=PlainJsonSchema
    )
    return dict(together["$defs"])


def describe_route(route: Route) -> dict[str, Any]:
    """Build one operation object."""
    summary, _, description = inspect.cleandoc(route.view.__doc__ or "").partition("\n")
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": summary.rstrip("."),
        "description": " ".join(description.split()),
        "parameters": parameters(route),
        "security": security(route),
        "responses": responses(route),
    }
    if route.operation.body:
        described["requestBody"] = {"required": True, "content": content(route.operation.body)}
    return {key: value for key, value in described.items() if value or key == "security"}


def parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in route.arguments
    ]
    if route.operation.query:
        described = route.operation.query.model_json_schema(schema_generator=PlainJsonSchema)
        for name, schema in described["properties"].items():
            found.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in described.get("required", ()),
                    "description": schema.pop("description", ""),
                    "schema": {key: value for key, value in schema.items() if value is not None},
                }
            )
    return found


def security(route: Route) -> list[dict[str, list[str]]]:
    """Return the security requirements: any one suffices; the schemes within one are needed
    together."""
    if route.operation.is_open:
        return []
    if route.operation.is_of_programs:
        return [{PROGRAM: [scopes.ADMIN]}]
    with_cookie: dict[str, list[str]] = {} if route.method in SAFE_METHODS else {CSRF: []}
    found: list[dict[str, list[str]]] = [{name: [], **with_cookie} for name in cookie_names()]
    return [*found, {BEARER: []}] if site().firebase else found


def content(kind: type[BaseModel] | Text) -> dict[str, Any]:
    if isinstance(kind, Text):
        return {kind.media_type: {"schema": {"type": "string"}}}
    return {JSON: {"schema": {"$ref": REF.format(model=kind.__name__)}}}


def responses(route: Route) -> dict[str, Any]:
    """Return the responses by status."""
    answer = route.operation.answer
    success: dict[str, Any] = {"description": "Done."}
    if answer:
        words = answer.description if isinstance(answer, Text) else inspect.getdoc(answer)
        success = {"description": words, "content": content(answer)}
    if route.operation.headers:
        success["headers"] = _headers(route.operation.headers)
    found = {"200" if answer else "204": success}
    for status, words in sorted({**usual_problems(route), **route.operation.problems}.items()):
        found[str(status)] = problem(status, words)
    return found


def usual_problems(route: Route) -> dict[int, str]:
    """Return the problems that follow from an operation's parameters and body."""
    takes, statuses = route.operation, [503]
    words = PROBLEMS_OF_PROGRAMS if takes.is_of_programs else PROBLEMS
    if takes.is_of_programs:
        statuses += [401, 403, 404] if route.method in SAFE_METHODS else [401, 403, 404, 429]
    elif not takes.is_open:
        statuses += [401] if route.method in SAFE_METHODS else [401, 403, 429]
    if route.arguments:
        statuses += [404]
    if takes.query:
        statuses += [400]
    if takes.body:
        statuses += [413, 415] if isinstance(takes.body, Text) else [400, 413, 415, 422]
    return {status: words[status] for status in statuses}


def problem(status: int, words: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": words or HTTPStatus(status).phrase,
        "content": {PROBLEM_JSON: {"schema": {"$ref": REF.format(model="ProblemDetails")}}},
    }
    headers = CHALLENGE if status == 401 else WAIT if status in (429, 503) else {}
    return {**found, "headers": _headers(headers)} if headers else found


def _headers(words: Any) -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in words.items()
    }
