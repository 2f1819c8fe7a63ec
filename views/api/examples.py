"""Examples in the OpenAPI document: made of the examples of each field."""

import re
from http import HTTPStatus
from typing import Any

REF_PREFIX = "#/components/schemas/"
EXAMPLE_REFERENCE = "7K3M-Q9TD"
# The code of a problem whose description does not begin with one.
CODES = {
    400: "invalid_query",
    401: "unauthorized",
    403: "not_allowed",
    404: "not_found",
    409: "needs_proof",
    413: "request_entity_too_large",
    415: "unsupported_media_type",
    422: "invalid_fields",
    429: "rate",
    502: "provider_error",
    503: "unavailable",
    504: "provider_down",
}
CODE = re.compile(r"([a-z]+(?:_[a-z]+)*)[:;,.](?: |$)")


def model_of(schema: dict[str, Any]) -> str:
    """Return the model that a schema, or a list's items, refers to; empty if none."""
    ref: str = schema.get("$ref") or schema.get("items", {}).get("$ref") or ""
    return ref.removeprefix(REF_PREFIX)


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Return a value that matches a schema, taken from its examples if it has any."""
    if "$ref" in schema:
        return example(schemas[model_of(schema)], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:
        return None
    if "properties" in schema:
        return {name: example(each, schemas) for name, each in schema["properties"].items()}
    if schema.get("type") == "array":
        return [example(schema["items"], schemas)]
    return {"boolean": True, "integer": 1}.get(schema.get("type", ""), "…")


def problem_example(status: int, words: str) -> dict[str, Any]:
    """Return a problem of this status; its description may begin with the code."""
    code = CODE.match(words)
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code[1] if code else CODES[status],
        "request_id": EXAMPLE_REFERENCE,
    }


def fill_in_examples(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give each body and each response of the document an example."""
    for methods in paths.values():
        for operation in methods.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                _fill_in(body, schemas)
            for status, response in operation["responses"].items():
                for answer in response.get("content", {}).values():
                    if int(status) >= 400:
                        answer["example"] = problem_example(int(status), response["description"])
                    else:
                        _fill_in(answer, schemas)


def _fill_in(content: dict[str, Any], schemas: dict[str, Any]) -> None:
    if model_of(content["schema"]):
        content["example"] = example(content["schema"], schemas)
