"""A wiki that knows nothing of sign-in, and the proxy before it, which asks a gate about each
request (forward authentication): for demonstrations. Both trust whoever connects them.
"""

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request

SECONDS = 10
# The first parts of its paths: its pages, and those that the gate answers.
PATHS = ("wiki", ".quickstep")
# The gate's headers about a visitor, and those that the browser gets if they do not pass.
IDENTITY_PREFIX = "x-auth-request-"
PASSED_ON = ("location", "set-cookie", "www-authenticate", "content-type", "cache-control")
# The browser's headers that the question needs.
ASKED_WITH = ("Cookie", "Accept", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Purpose")


@dataclass
class Wiki:
    """``question``: the address that the proxy asks; empty until somebody sets up a gate. ``url``:
    the first page. ``account``: where the visitor's account is."""

    url: str = ""
    question: str = ""
    account: str = ""

    @property
    def origin(self) -> str:
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.url))

    def connect(self, question: str, account: str) -> None:
        """Take the gate that was set up."""
        self.question, self.account = question, account


def blueprint(wiki: Wiki) -> Blueprint:
    routes = Blueprint("wiki", __name__)

    @routes.get("/wiki")
    @routes.get("/wiki/<path:page>")
    @routes.get("/.quickstep/<path:page>")
    def open_page(page: str = "home") -> Response | str:
        """Ask; show the page to those who pass, and pass on the answer to everybody else."""
        try:
            status, headers, body = ask(wiki)
        except (OSError, HTTPException):
            return Response("The gate does not answer.\n", 502, mimetype="text/plain")
        if status != 200:
            answer = Response(body, status)
            for name, value in headers:
                if name.lower() in PASSED_ON:
                    answer.headers[name] = value
            return answer
        person = {
            name.lower().removeprefix(IDENTITY_PREFIX): value.encode("latin-1").decode()
            for name, value in headers
            if name.lower().startswith(IDENTITY_PREFIX)
        }
        return render_template("wiki.html", wiki=wiki, page=page, person=person)

    return routes


def ask(wiki: Wiki) -> tuple[int, list[tuple[str, str]], bytes]:
    """Ask the gate about the request at hand; return status, headers and body of the answer."""
    parts = urlsplit(wiki.question)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=SECONDS)
    try:
        connection.request("GET", parts.path, headers=question_headers())
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


def question_headers() -> dict[str, str]:
    """Return the headers that Traefik and Caddy ask with; nothing else of the browser's counts."""
    known: dict[str, Any] = {name: request.headers.get(name) for name in ASKED_WITH}
    return {
        **{name: value for name, value in known.items() if value is not None},
        "X-Forwarded-Method": request.method,
        "X-Forwarded-Proto": request.scheme,
        "X-Forwarded-Host": request.host,
        "X-Forwarded-Uri": request.environ["REQUEST_URI"],
    }
