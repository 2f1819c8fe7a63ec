"""An app on a phone, with what the blocks of docs/integrate/native.md hold: it signs in, loses an
answer, refreshes, calls the API and signs out."""

import re
import shlex
from itertools import pairwise

import pytest
import requests

from tests.browser import Browser
from tests.issuer.relying_party import App
from tests.site import Site
from tests.system.clients import pages

LANGUAGES = ("dart", "kotlin", "swift")


def command() -> list[str]:
    """The words of the command of the page, after ``clients add NAME``."""
    (text,) = [text for language, text in pages.blocks("native") if language == "console"]
    return shlex.split(text.replace("\\\n", " "))[7:]


@pytest.fixture
def phone(site: Site) -> App:
    return App(site, "My app", *command())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_block_asks_for_is_what_its_command_registers(language: str) -> None:
    (block,) = [text for each, text in pages.blocks("native") if each == language]
    words = command()
    given = [value for option, value in pairwise(words) if option == "--scope"]
    assert re.findall(r"""["'](openid|profile|email|offline_access|account)["']""", block) == given
    assert "https://login.example.org" in block
    (scheme,) = set(re.findall(r"com\.example\.app:/\w+", block))
    assert scheme in words
    assert "secret:" not in block.lower()


def test_the_app_of_the_page_signs_in_refreshes_and_signs_out(
    site: Site, grace: Browser, phone: App
) -> None:
    assert phone.secret is None
    tokens = phone.tokens(grace, scope="openid profile offline_access account")
    assert me(site, tokens.access).json()["name"] == "Grace Hopper"
    # The browser signs out; the app goes on. Then an answer is lost on its way.
    grace.sign_out()
    lost = phone.refresh(tokens.refresh)
    refreshed = phone.refresh(tokens.refresh)
    assert refreshed.refresh == lost.refresh
    assert me(site, refreshed.access).status_code == 200
    # Sign-out, as in the block for Flutter.
    phone.post("revoke", {"token": refreshed.refresh})
    assert me(site, refreshed.access).status_code == 401
    assert phone.refresh(refreshed.refresh).error == "invalid_grant"


def me(site: Site, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{site.url}/api/v1/me", headers=headers, timeout=30)
