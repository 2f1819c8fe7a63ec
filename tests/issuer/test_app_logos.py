"""The logo of an application: kept by the operator, shown next to its name, from our own origin."""

import re
from pathlib import Path

import pytest

from tests.browser import Browser, Page
from tests.commands.console import answer, run
from tests.issuer.relying_party import App
from tests.issuer.test_documents import Web, start
from tests.site import Site

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>'
IMAGES = {
    "image/svg+xml": SVG,
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "image/webp": b"RIFF\x00\x00\x00\x00WEBP" + bytes(40),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(40),
}


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    path = tmp_path / "logo"
    path.write_bytes(SVG)
    return path


@pytest.fixture
def notes(site: Site, logo: Path) -> App:
    return App(site, "Notes", "--logo", str(logo), "--allow", "everyone")


def logo_on(page: Page) -> str:
    """The address of the logo on a page; empty if there is none."""
    found = re.findall(r'<img src="(/_quickstep/static/apps/[^"]+)" alt="">', page.html)
    return found[0] if found else ""


def letter_on(page: Page) -> str:
    return page._first(r'class="chip letter[^"]*" data-letter="(.)"')


def test_every_page_about_an_application_shows_its_logo(site, notes, grace, browser):
    pages = [notes.ask(browser), notes.ask(grace), notes.ask(grace, prompt="login")]
    pages.append(notes.ask(grace, prompt="select_account"))
    pages.append(grace.get("/oauth2/logout", params={"client_id": notes.client_id}))
    notes.tokens(grace)
    pages.append(grace.get("/account/apps"))
    pages.append(grace.get(f"/account/apps/{notes.client_id}/remove"))
    answer(site, "clients", "set", notes.client_id, "--allow", "domain=other.example")
    pages.append(notes.ask(grace))
    assert [page.heading for page in pages] == [
        "Sign in to continue to Notes",
        "Share with Notes?",
        "Confirm it's you",
        "Sign in to continue to Notes",
        "Sign out of Quickstep?",
        "Apps",
        "Take access away from Notes?",
        "This account can't use Notes",
    ]
    assert len({logo_on(page) for page in pages}) == 1
    assert browser.fetch(logo_on(pages[0])).response.content == SVG


def test_a_device_is_connected_under_the_logo_of_its_application(site, grace, logo):
    tv = App(site, "TV", "--public", "--grant", "device", "--logo", str(logo))
    code = tv.post("device_authorization", {"scope": "openid"}).json()["user_code"]
    page = grace.post("/oauth2/device", grace.get("/oauth2/device"), user_code=code)
    assert page.heading == "Connect TV?"
    assert logo_on(page)


@pytest.mark.parametrize("media_type", IMAGES)
def test_a_logo_is_kept_long_and_runs_no_script(both, tmp_path, media_type):
    path = tmp_path / "logo"
    path.write_bytes(IMAGES[media_type])
    app = App(both, "Notes", "--logo", str(path))
    browser = both.browser()
    address = logo_on(app.ask(browser))
    image = browser.fetch(address)
    assert (image.status, image.response.content) == (200, IMAGES[media_type])
    assert image.headers["Content-Type"].startswith(media_type)
    assert image.headers["Cache-Control"] == "public, max-age=31536000"
    assert image.headers["X-Content-Type-Options"] == "nosniff"
    policies = image.headers["Content-Security-Policy"].split(", ")
    assert "sandbox" in policies
    assert any(policy.startswith("default-src 'none'") for policy in policies)
    assert "Set-Cookie" not in image.headers


def test_another_logo_has_another_address_and_the_old_one_is_gone(site, notes, browser, logo):
    before = logo_on(notes.ask(browser))
    logo.write_bytes(SVG + b"<!-- 2 -->")
    changed = answer(site, "clients", "set", notes.client_id, "--logo", str(logo))
    assert changed["logo"] is True
    after = logo_on(notes.ask(browser))
    assert (browser.fetch(before).status, browser.fetch(after).status) == (404, 200)
    assert browser.fetch(before).headers["Cache-Control"] == "no-store"
    assert browser.fetch(f"{after[:-1]}g").status == 404


def test_an_empty_value_removes_the_logo_and_its_letter_is_shown(site, notes, browser):
    assert answer(site, "clients", "show", notes.client_id)["logo"] is True
    assert "logo: yes" in run(site, "clients", "show", notes.client_id).stdout
    answer(site, "clients", "set", notes.client_id, "--name", "notes 2")
    assert logo_on(notes.ask(browser))
    assert answer(site, "clients", "set", notes.client_id, "--logo", "")["logo"] is False
    page = notes.ask(browser)
    assert (logo_on(page), letter_on(page)) == ("", "N")
    assert site.rows("SELECT count(*) FROM client_logos") == [(0,)]


def test_the_logo_goes_with_its_application(site, notes):
    run(site, "clients", "delete", notes.client_id, "--yes")
    assert site.rows("SELECT count(*) FROM client_logos") == [(0,)]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"GIF89a", "logo is no SVG, PNG, WebP or JPEG image"),
        (b"<html><script>1</script></html>", "logo is no SVG, PNG, WebP or JPEG image"),
        (IMAGES["image/png"] + bytes(300_000), "logo is larger than 256 KiB"),
        (None, "logo cannot be read (FileNotFoundError)"),
    ],
)
def test_a_file_that_is_no_logo_is_a_fault_among_the_others(site, tmp_path, content, fault):
    path = tmp_path / "logo"
    if content is not None:
        path.write_bytes(content)
    result = run(site, "clients", "add", "Notes", "--scope", "frog", "--logo", str(path))
    assert result.exit_code == 1
    for words in (f"--logo: {fault}", "--scope frog", "--redirect-uri: at least one"):
        assert words in result.stderr
    assert answer(site, "clients", "list")["items"] == []


def test_the_image_that_a_client_names_of_itself_is_never_asked_for(site, grace):
    web = Web()
    web.document["logo_uri"] = "https://client.example/logo.png"
    page = start(site, web, "client.example").ask(grace)
    assert page.heading.startswith("Share with client.example")
    assert "logo.png" not in page.html
    assert (logo_on(page), letter_on(page)) == ("", "C")
    assert web.asked == [web.document["client_id"]]


def test_a_hostile_name_makes_no_markup_of_its_letter(site, browser: Browser):
    page = App(site, '"><b>').ask(browser)
    assert 'data-letter="&#34;"' in page.html
