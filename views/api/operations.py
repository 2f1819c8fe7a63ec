"""Operations of the API: their requests and responses, declared at the view.

A declaration checks the request, builds the answer, and is the operation's entry in the
OpenAPI document (openapi.py). There are two kinds of view:

- ``@operation(...)``: uses the models of schemas.py; reading and responding is automatic.
- ``@declare(Operation(...))``: reads and responds itself, and only adds an entry to the
  document. ``Text`` declares a body or a response that is not JSON::

      @mobile.post("/auth/sign-in")
      @declare(
          Operation(
              body=Text("application/jwt", "An ID token."),
              answer=Text("text/plain", "OK"),
              problems={401: "invalid_token", 429: "rate"},
              is_open=True,
          )
      )
      def sign_in() -> Response:
          \"\"\"Sign in with an ID token. …\"\"\"

The first line of a view's docstring becomes the summary, the rest the description.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Response, request
from pydantic import BaseModel, TypeAdapter, ValidationError

from errors import InvalidFields, InvalidQuery, MalformedJSON, UnsupportedMediaType
from keys.strict_json import InvalidJSON, parse_strict_json
from views.api.schemas import read_only_fields

JSON = "application/json"
NO_JSON = "The body is not JSON (RFC 8259) in UTF-8, with each name once."
# The first of many faults are reported, and the beginning of a long name.
FAULTS_TOLD = 10
FIELD_NAME_MAX_CHARACTERS = 64

# Writes documents as the models are written.
_DOCUMENT = TypeAdapter(dict[str, Any])

View = TypeVar("View", bound=Callable[..., Any])
Model = TypeVar("Model", bound=BaseModel)
# A model; a document that was built as one is declared; or nothing.
Answer = BaseModel | dict[str, Any] | None


@dataclass(frozen=True)
class Text:
    """A body or a response that is not JSON."""

    media_type: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """``answer`` None is a 204. ``problems``: statuses with their meaning, in addition to those
    that follow from parameters and body (see openapi.py). ``headers`` of the response. ``is_open``:
    needs no signed-in person. ``is_of_programs``: needs a token with which a program administers.
    """

    body: type[BaseModel] | Text | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | Text | None = None
    problems: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_open: bool = False
    is_of_programs: bool = False


OPERATIONS: dict[Callable[..., Any], Operation] = {}


def declare(declared: Operation) -> Callable[[View], View]:
    """Add a view to the OpenAPI document."""

    def register(view: View) -> View:
        OPERATIONS[view] = declared
        return view

    return register


def operation(
    *,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    answer: type[BaseModel] | None = None,
    **facts: Any,
) -> Callable[[Callable[..., Answer]], Callable[..., Response]]:
    """Declare a view that gets ``body`` and ``query`` as checked models, and returns its response
    as a model."""

    def wrap(view: Callable[..., Answer]) -> Callable[..., Response]:
        @functools.wraps(view)
        def answer_request(**path: str) -> Response:
            given: dict[str, Any] = dict(path)
            if query:
                given["query"] = read_query(query)
            if body:
                given["body"] = read_body(body)
            return answer_with(view(**given))

        return declare(Operation(body=body, query=query, answer=answer, **facts))(answer_request)

    return wrap


def answer_with(answer: Answer) -> Response:
    if answer is None:
        return Response(status=204)
    if isinstance(answer, BaseModel):
        return Response(answer.model_dump_json(), mimetype=JSON)
    return Response(write_json(answer), mimetype=JSON)


def write_json(document: dict[str, Any]) -> bytes:
    return _DOCUMENT.dump_json(document)


def read_query(model: type[Model]) -> Model:
    """Read the query parameters. Raises InvalidQuery for unknown, repeated or invalid ones."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise InvalidQuery(
            "The query cannot be understood.", errors=faults_of(repeated, "is given twice")
        )
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise InvalidQuery("The query cannot be understood.", errors=describe(error)) from None


def read_body(model: type[Model]) -> Model:
    """Read the JSON body. Raises UnsupportedMediaType, MalformedJSON or InvalidFields; Werkzeug
    raises RequestEntityTooLarge."""
    if request.mimetype != JSON or request.content_encoding not in (None, "", "identity"):
        raise UnsupportedMediaType(f"Send a plain JSON body, with Content-Type: {JSON}.")
    data = request.get_data()
    try:
        parse_strict_json(data)
        return model.model_validate_json(data)
    except InvalidJSON:
        raise MalformedJSON(NO_JSON) from None
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors(include_url=False)):
            raise MalformedJSON(NO_JSON) from None
        raise InvalidFields("The body is not as it must be.", errors=describe(error)) from None


def describe(error: ValidationError) -> list[dict[str, str]]:
    """Return Pydantic's errors as lines that name the field and never show its value."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        {"field": _name_of(fault["loc"]), "detail": _words_of(fault)}
        for fault in faults[:FAULTS_TOLD]
    ]


def faults_of(names: list[str], detail: str) -> list[dict[str, str]]:
    return [{"field": _name_of((name,)), "detail": detail} for name in names[:FAULTS_TOLD]]


def _name_of(place: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in place)[:FIELD_NAME_MAX_CHARACTERS]


def _words_of(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        is_known = fault["loc"][0] in read_only_fields()
        return "is read-only" if is_known else "is not known here"
    words = {"missing": "is missing"}.get(fault["type"], fault["msg"])
    return str(words).removeprefix("Value error, ")
