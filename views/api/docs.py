"""The API's description: /openapi.json for programs, /docs for people."""

import json
from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from views.api.examples import example, model_of
from views.api.openapi import document
from views.api.operations import JSON

docs = Blueprint("docs", __name__)


@docs.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI 3.1 document."""
    return Response(json.dumps(document()), mimetype=JSON)


@docs.get("/docs")
def show() -> str:
    described = document()
    schemas = described["components"]["schemas"]
    operations = [
        {**operation, "path": path, "method": method.upper()}
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    return render_template(
        "docs.html",
        api=described,
        operations=operations,
        schemas=schemas,
        type_words=type_words,
        model_of=model_of,
        example=lambda schema: json.dumps(example(schema, schemas), indent=2, ensure_ascii=False),
    )


def type_words(schema: dict[str, Any]) -> str:
    """Return a type in words: "string (date-time) or null"."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_words(one) for one in schema["anyOf"]))
    if model := model_of(schema):
        return f"list of {model}" if schema.get("type") == "array" else model
    words = str(schema.get("type", "any"))
    bounds = [
        str(schema["format"]) if "format" in schema else "",
        f"from {schema['minimum']} to {schema['maximum']}" if "minimum" in schema else "",
        f"at most {schema['maxLength']} characters" if "maxLength" in schema else "",
        f"by default {schema['default']}" if schema.get("default") not in (None, "") else "",
        f"one of {', '.join(filter(None, schema['enum']))}" if "enum" in schema else "",
    ]
    told = ", ".join(bound for bound in bounds if bound)
    return f"{words} ({told})" if told else words
