"""The dialects over real HTTP: who is heard, how each wants to be answered, and whom it hits."""

import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.inbox import dialect_senders as senders
from tests.inbox.senders import post
from tests.site import Site

LATER = 20 * 60


@pytest.fixture
def site(make_site):
    return make_site(look_alikes=senders.PROVIDERS, **senders.SETTINGS)


def subject_of(site: Site, provider: str) -> str:
    query = "SELECT subject FROM oauth WHERE provider = :provider"
    return str(site.rows(query, provider=provider)[0][0])


def client_id(site: Site, provider: str) -> str:
    return str(site.app.extensions["quickstep"].connectors[provider].client_id)


# Slack.


def revoked(team: str, *users: str, event_id: str = "Ev1", **more: object) -> dict[str, object]:
    event = {"type": "tokens_revoked", "tokens": {"oauth": list(users), "bot": ["U9"]}}
    facts = {"team_id": team, "event_id": event_id, "event_time": int(time.time())}
    return {"type": "event_callback", "event": event, **facts, **more}


def test_slack_verifies_a_url_only_in_a_signed_request(site):
    document = {
        "type": "url_verification",
        "challenge": "3eZbrw1aBm2rZgRNFdxV2595",
    }
    answer = senders.slack(site, document)
    assert (answer.status_code, answer.text) == (200, document["challenge"])
    assert answer.headers["Content-Type"].startswith("text/plain")
    refused = senders.slack(site, document, secret="another")
    assert refused.status_code == 401
    assert document["challenge"] not in refused.text


def test_slack_ends_the_people_of_that_team_only(site, browser):
    browser.sign_in("slack", "ada")
    team, _, user = subject_of(site, "slack").partition("_")
    assert senders.slack(site, revoked("T999", user)).status_code == 200
    assert senders.slack(site, revoked(team, "U0", event_id="Ev2")).status_code == 200
    assert browser.me()
    assert senders.slack(site, revoked(team, user, event_id="Ev3")).status_code == 200
    assert browser.me() is None


def test_slack_removes_a_whole_workspace_and_no_other(site, browser, other):
    browser.sign_in("slack", "ada")
    team = subject_of(site, "slack").partition("_")[0]
    other.sign_in("slack", "grace")
    site.execute("UPDATE oauth SET subject = 'X' || subject WHERE user_id = :id", id=other.user_id)
    gone = revoked(team[:-1]) | {"event": {"type": "app_uninstalled"}}
    assert senders.slack(site, gone).status_code == 200
    assert browser.me(), "another team begins alike"
    assert senders.slack(site, gone | {"team_id": team, "event_id": "Ev2"}).status_code == 200
    assert browser.me() is None
    assert other.me()


@pytest.mark.parametrize("at", [-LATER, LATER])
def test_a_signed_time_that_is_not_now_is_refused(site, at):
    when = time.time() + at
    assert senders.slack(site, revoked("T1", "U1"), at=when).status_code == 401
    assert senders.zoom(site, {"event": "app_deauthorized"}, at=when).status_code == 401
    assert senders.discord(site, {"type": 0}, at=when).status_code == 401
    assert senders.naver(site, "1", at=when).status_code == 401
    assert senders.twitch(site, "notification", {}, age=-at).status_code == 403
    assert site.rows("SELECT * FROM receipts") == []


def test_what_another_signed_is_refused(site):
    assert senders.slack(site, revoked("T1", "U1"), secret="another").status_code == 401
    assert senders.zoom(site, {"event": "app_deauthorized"}, secret="other").status_code == 401
    assert senders.naver(site, "1", secret="another").status_code == 401
    assert senders.twitch(site, "notification", {}, secret="another").status_code == 403
    key = Ed25519PrivateKey.from_private_bytes(b"1" * 32)
    assert senders.discord(site, {"type": 0}, key=key).status_code == 401
    for path in ("slack", "zoom", "twitch", "discord"):
        answer = post(site, path, b"{}", headers=senders.JSON)
        assert answer.status_code in (401, 403)
    assert site.rows("SELECT * FROM receipts") == []


@pytest.mark.parametrize("document", [[], "text", None, {"event": []}, {"type": {}}, {"event": 1}])
def test_a_signed_document_of_another_shape_is_no_fault_of_ours(site, document):
    for send in (senders.slack, senders.zoom, senders.discord):
        assert send(site, document).status_code in (200, 204, 401)
    for kind in ("notification", "revocation", "webhook_callback_verification", ""):
        assert senders.twitch(site, kind, document, key=kind).status_code in (200, 204, 403)


# Discord.


def test_discord_gets_its_ping_answered_with_204(site):
    answer = senders.discord(site, {"version": 1, "type": 0})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"]


def test_discord_ends_a_person_of_ours(site, browser):
    browser.sign_in("discord", "ada")
    person = {"user": {"id": subject_of(site, "discord")}}
    now = time.strftime("%Y-%m-%dT%H:%M:%S.053000", time.gmtime())
    event = {"type": "APPLICATION_DEAUTHORIZED", "timestamp": now, "data": person}
    document = {"version": 1, "type": 1, "application_id": "123", "event": event}
    assert senders.discord(site, document).status_code == 204
    assert browser.me(), "it was said of another application"
    ours = document | {"application_id": client_id(site, "discord")}
    assert senders.discord(site, ours).status_code == 204
    assert browser.me() is None


def test_the_echo_of_our_own_unlink_does_nothing(site, browser):
    browser.sign_in("discord", "ada")
    subject = subject_of(site, "discord")
    browser.link("slack", "ada")
    browser.unlink(browser.identity("discord"))
    event = {"type": "APPLICATION_DEAUTHORIZED", "data": {"user": {"id": subject}}}
    document = {"type": 1, "application_id": client_id(site, "discord"), "event": event}
    assert senders.discord(site, document).status_code == 204
    assert browser.providers() == ["slack"]


# Twitch.


def test_twitch_is_shown_its_challenge_as_it_is(site):
    document = {"challenge": "pogchamp-kappa-360noscope-vohiyo", "subscription": {}}
    answer = senders.twitch(site, "webhook_callback_verification", document)
    assert (answer.status_code, answer.text) == (200, document["challenge"])


@pytest.mark.parametrize(
    ("login", "provider_rows"), [("ada", [("discord",), ("twitch",)]), (None, [("discord",)])]
)
def test_twitch_ends_a_permission_or_an_account(site, browser, login, provider_rows):
    browser.sign_in("twitch", "ada")
    browser.link("discord", "ada")
    event = {"user_id": subject_of(site, "twitch"), "user_login": login}
    about = {"subscription": {"type": "user.authorization.revoke"}}
    theirs = about | {"event": event | {"client_id": "another"}}
    assert senders.twitch(site, "notification", theirs, key="a").status_code == 204
    assert browser.me()
    ours = about | {"event": event | {"client_id": client_id(site, "twitch")}}
    assert senders.twitch(site, "notification", ours, key="b").status_code == 204
    assert browser.me() is None
    assert site.rows("SELECT provider FROM oauth ORDER BY provider") == provider_rows


def test_twitch_ending_its_subscription_is_told_to_the_operator_and_hits_nobody(
    site, browser, caplog
):
    browser.sign_in("twitch", "ada")
    document = {"subscription": {"status": "authorization_revoked", "type": "x"}}
    assert senders.twitch(site, "revocation", document).status_code == 204
    assert browser.me()
    assert "notices_ended" in caplog.text


# Zoom.


def test_zoom_validates_the_endpoint_and_ends_a_person_of_ours(site, browser):
    asked = {
        "event": "endpoint.url_validation",
        "payload": {"plainToken": "qgg8vlvZRS6UYoo"},
    }
    answer = senders.zoom(site, asked)
    assert answer.status_code == 200
    assert set(answer.json()) == {"plainToken", "encryptedToken"}
    browser.sign_in("zoom", "ada")
    payload = {"user_id": subject_of(site, "zoom"), "client_id": "another"}
    event = {"event": "app_deauthorized", "event_ts": int(time.time() * 1000), "payload": payload}
    assert senders.zoom(site, event).status_code == 200
    assert browser.me()
    payload["client_id"] = client_id(site, "zoom")
    assert senders.zoom(site, event).status_code == 200
    assert browser.me() is None


# Naver.


def test_naver_ends_a_person_and_is_answered_with_204(site, browser):
    browser.sign_in("naver", "ada")
    subject = subject_of(site, "naver")
    assert senders.naver(site, subject, clientId="another").status_code == 401
    assert senders.naver(site, subject, client_id="another").status_code == 401
    assert senders.naver(site, subject, timestamp="1").status_code == 401
    assert senders.naver(site, subject, encryptUniqueId="AAAA").status_code == 401
    assert senders.naver(site, subject, signature="é").status_code == 401
    assert browser.me()
    answer = senders.naver(site, subject)
    assert (answer.status_code, answer.content) == (204, b"")
    assert browser.me() is None


# Kakao.


def test_kakaos_admin_key_is_the_proof(site, browser):
    browser.sign_in("kakao", "ada")
    person = {"user_id": subject_of(site, "kakao")}
    for key in ("", senders.KAKAO_KEY, f"Bearer {senders.KAKAO_KEY}", "KakaoAK another", "é"):
        assert senders.kakao(site, key=key.encode().decode("latin-1"), **person).status_code == 401
    assert senders.kakao(site, app_id="1", **person).status_code == 403
    assert senders.kakao(site, method="GET", **person).status_code == 405
    assert senders.kakao(site, referrer_type="NEW_TYPE", **person).status_code == 200
    assert browser.me()
    assert senders.kakao(site, user_id="nobody").status_code == 200
    assert senders.kakao(site, **person).status_code == 200
    assert browser.me() is None


def test_a_deleted_kakao_account_is_removed(make_site):
    site = make_site(
        look_alikes=("kakao", "discord"), KAKAO_UNLINK_METHOD="GET", **senders.SETTINGS
    )
    browser = site.browser()
    browser.sign_in("kakao", "ada")
    browser.link("discord", "ada")
    gone = {"user_id": subject_of(site, "kakao"), "referrer_type": "ACCOUNT_DELETE"}
    assert senders.kakao(site, **gone).status_code == 405
    assert senders.kakao(site, method="GET", **gone).status_code == 200
    assert site.rows("SELECT provider FROM oauth") == [("discord",)]
