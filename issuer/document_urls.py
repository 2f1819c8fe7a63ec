"""Client ids that are URLs, and which of them can name a client (client ID metadata documents).

The operator admits hosts (CLIENT_DOCUMENT_HOSTS); none are admitted unless they do.
"""

import re
from collections.abc import Sequence
from typing import cast
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app

EXTENSION = "client_document_hosts"
ANY = "*"
MAX_CHARACTERS = 512
# A name in lower case that no address is, since its last label begins with a letter.
_URL = re.compile(
    r"https://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])"
    r"(?::[1-9][0-9]{0,4})?/[A-Za-z0-9%!$&'()*+,/:;=?@._~-]+"
)


def init_app(app: Flask, hosts: Sequence[str]) -> None:
    """Admit these hosts; ``*`` admits all."""
    app.extensions[EXTENSION] = tuple(hosts)


def admitted_hosts() -> tuple[str, ...]:
    return cast(tuple[str, ...], current_app.extensions.get(EXTENSION, ()))


def is_admitted(client_id: str) -> bool:
    """Return whether a client id is the URL of a document on an admitted host."""
    hosts = admitted_hosts()
    if not hosts or not is_plain(client_id):
        return False
    return ANY in hosts or host_of(client_id) in hosts


def is_plain(url: object) -> bool:
    """Return whether this is an https URL of a named host, without dot segments, as documents
    have them."""
    if not isinstance(url, str) or len(url) > MAX_CHARACTERS or not _URL.fullmatch(url):
        return False
    return not {".", ".."} & set(unquote(urlsplit(url).path).split("/"))


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""
