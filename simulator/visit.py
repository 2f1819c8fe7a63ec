"""A visit to a fake provider's page, as a browser makes it: open, choose, follow the redirect."""

import html
import re
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from simulator.people import PEOPLE

SECONDS = 10
FORM = "application/x-www-form-urlencoded"


class Refused(AssertionError):
    """The page shows a fault instead of redirecting; holds the page's words."""


class Callback(str):
    """A callback URL. ``form`` is what the browser POSTs there with form_post, as Apple does; it is
    empty for all others, whose response is in the URL."""

    form: dict[str, str]
    __slots__ = ("form",)

    def __new__(cls, url: str, form: dict[str, str] | None = None) -> Self:
        made = super().__new__(cls, url)
        made.form = form or {}
        return made


def choose(authorization_url: str, person: str, behave: str = "", **form: str) -> Callback:
    """Play a person at a fake provider; return the callback URL.

    ``cancel="1"`` refuses consent. Works by HTTP alone, with a server in any process. Raises
    Refused.
    """
    if "cancel" not in form and person not in PEOPLE:
        raise ValueError(f"nobody is called {person!r}; be one of {', '.join(PEOPLE)}")
    if urlsplit(authorization_url).scheme != "http":
        raise Refused(f"{authorization_url!r} is not an address of a fake provider")
    _fetch(authorization_url)
    location, page = _fetch(authorization_url, {"person": person, "behave": behave, **form})
    if location:
        return Callback(location.partition("#")[0])
    actions = re.findall(r'<form method="post" action="([^"]+)"', page)
    if len(actions) != 1:
        raise Refused(_words(page))
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', page)
    values = {name: html.unescape(value) for name, value in fields}
    return Callback(html.unescape(actions[0]), values)


def _fetch(url: str, form: dict[str, str] | None = None) -> tuple[str, str]:
    """Return where a response leads to, and its page. Raises Refused."""
    parts = urlsplit(url)
    method, kind = ("GET", {}) if form is None else ("POST", {"Content-Type": FORM})
    # Connect directly: no proxy, no redirect.
    with closing(HTTPConnection(parts.netloc, timeout=SECONDS)) as connection:
        path = f"{parts.path}?{parts.query}"
        connection.request(method, path, urlencode(form or {}) if form else None, kind)
        answer = connection.getresponse()
        page = answer.read().decode(errors="replace")
    if answer.status in (302, 303):
        return answer.getheader("Location", ""), page
    if answer.status != 200:
        raise Refused(_words(page) or f"{answer.status} {answer.reason}")
    return "", page


def _words(page: str) -> str:
    found: list[Any] = re.findall(r"<main>(.*?)</main>", page, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", " ".join(found))).split())
