"""The routes of the inbox: there only where a delivery can be verified, and blind to cookies."""

import pytest

from tests.inbox import senders

ROUTES = ["facebook/deauthorize", "facebook/delete", "github"]


@pytest.fixture
def site(make_site):
    return make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET)


def test_without_a_secret_there_is_no_route(make_site):
    site = make_site(look_alikes=("github",))
    for path in ROUTES:
        assert senders.post(site, path).status_code == 404


@pytest.mark.parametrize("path", ROUTES)
def test_a_get_is_told_to_post(site, path):
    answer = senders.post(site, path, method="GET")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "Set-Cookie" not in answer.headers


def test_a_session_sent_along_changes_nothing_and_no_cookie_is_set(site):
    ada = site.browser()
    ada.sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    alone = senders.facebook(site, "deauthorize", "nobody")
    signed = senders.signed_request(
        senders.secret_of(site, "facebook"), {"algorithm": "HMAC-SHA256", "user_id": "somebody"}
    )
    together = ada.http.post(
        f"{site.url}/inbox/facebook/deauthorize", data={"signed_request": signed}, timeout=60
    )
    for answer in (alone, together):
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
    assert alone.content == together.content
    known = senders.facebook(site, "deauthorize", subject)
    assert (known.status_code, known.content) == (alone.status_code, alone.content)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("body", "mimetype", "status"),
    [
        (b"x" * 65 * 1024, "application/x-www-form-urlencoded", 413),
        (b"x" * 65 * 1024, "application/json", 413),
        (b"{}", "text/plain", 415),
    ],
)
def test_too_much_or_of_another_type_is_refused(site, path, body, mimetype, status):
    answer = senders.post(site, path, body, headers={"Content-Type": mimetype})
    assert answer.status_code == status
    assert "Set-Cookie" not in answer.headers
    assert site.rows("SELECT * FROM receipts") == []


def test_an_address_that_sends_much_that_is_refused_waits(site):
    for _ in range(120):
        assert senders.post(site, "github", b"{}").status_code in (401, 415)
    answer = senders.post(site, "github", b"{}")
    assert answer.status_code == 429
    assert "Set-Cookie" not in answer.headers


def test_a_refused_delivery_leaves_a_line_without_its_contents(site, caplog):
    senders.facebook(site, "deauthorize", "4711471147114711", secret="of another app")
    log = caplog.text
    assert "notice_refused" in log
    assert "4711471147114711" not in log
