"""Problem details (RFC 9457): the JSON format of every error."""

from typing import Any

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from web.request_state import request_state

# Paths that programs ask, not people.
JSON_PATHS = ("/api/", "/auth/", "/openapi.json")
JSON_ROOTS = ("/api", "/auth")


def wants_json() -> bool:
    """Tell whether this request is answered in JSON, errors too."""
    return request.path.startswith(JSON_PATHS) or request.path in JSON_ROOTS


class FieldFault(BaseModel):
    """The fault of one field or parameter."""

    field: str = Field(examples=["email"])
    detail: str = Field(examples=["is read-only"])


class ProblemDetails(BaseModel):
    """A problem (RFC 9457). Some problems have further members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str = Field(description="The status in words.", examples=["Forbidden"])
    status: int = Field(examples=[403])
    code: str = Field(description="The reason, for programs.", examples=["csrf"])
    request_id: str = Field(
        description="The reference that the server's log has too.", examples=["7K3M-Q9TD"]
    )
    detail: str | None = Field(default=None, description="What to do, for programmers.")
    errors: list[FieldFault] | None = Field(
        default=None, description="Of invalid_fields and invalid_query: a line for each."
    )
    url: str | None = Field(
        default=None,
        description="Of reauth_required and needs_proof: where the person goes on.",
        examples=["https://login.example.org/account/reauth"],
    )
    reauth_url: str | None = Field(default=None, description="The earlier name of url.")


def problem_json(
    status: int, code: str, title: str, detail: str | None = None, **members: Any
) -> Response:
    """Build an RFC 9457 response with our two additions, ``code`` and ``request_id``."""
    problem = ProblemDetails(
        title=title,
        status=status,
        code=code,
        request_id=request_state().reference,
        detail=detail,
        **members,
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status,
        mimetype="application/problem+json",
    )
