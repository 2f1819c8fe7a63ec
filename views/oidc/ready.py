"""Answers that are ready before Flask runs, and which requests are usual."""

from collections.abc import Callable
from typing import NamedTuple
from wsgiref.types import WSGIEnvironment

Headers = list[tuple[str, str]]


class Ready(NamedTuple):
    """An answer with status 200. ``endpoint``: the view that would give the same."""

    endpoint: str
    headers: Headers
    body: bytes


# Gives the answer to a usual request; None where the view must.
Answerer = Callable[[WSGIEnvironment], Ready | None]


def is_plain_get(environ: WSGIEnvironment) -> bool:
    return environ["REQUEST_METHOD"] == "GET" and not environ.get("QUERY_STRING")
