"""A visit to a look-alike's page, as a browser makes it: look, choose, be sent back."""

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
    """The page shows a fault instead of sending anybody back: the words of the page."""


class Callback(str):
    """A callback URL. ``form``: what the browser POSTs there, where a provider answers so
    (form_post, as Apple does); empty for all others, whose answer is in the URL."""

    form: dict[str, str]
    __slots__ = ("form",)

    def __new__(cls, url: str, form: dict[str, str] | None = None) -> Self:
        made = super().__new__(cls, url)
        made.form = form or {}
        return made


def choose(authorization_url: str, person: str, behave: str = "", **form: str) -> Callback:
    """Be somebody at a look-alike: the callback URL that it sends the browser to.

    ``cancel="1"`` says no. Works by HTTP alone, on a look-alike of any process. Raises Refused.
    """
    if "cancel" not in form and person not in PEOPLE:
        raise ValueError(f"nobody is called {person!r}; be one of {', '.join(PEOPLE)}")
    if urlsplit(authorization_url).scheme != "http":
        raise Refused(f"{authorization_url!r} is no address of a look-alike")
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
    """Where an answer leads to, and its page. Raises Refused."""
    parts = urlsplit(url)
    method, kind = ("GET", {}) if form is None else ("POST", {"Content-Type": FORM})
    # Straight to it: no proxy, no redirect followed.
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
