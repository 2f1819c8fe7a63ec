"""``inbox urls`` and ``list``, and what the doctor says about what providers report."""

from inbox.catalogue import build_dialects
from tests.commands.console import answer, run
from tests.commands.doctor import line_of
from tests.inbox import dialect_senders, senders
from tests.site import ALL, Site

SECRETS = {"GITHUB_WEBHOOK_SECRET": senders.GITHUB_SECRET, **dialect_senders.SETTINGS}
SECRETS["OIDC_ACME_SSF_CONFIGURATION_URL"] = "https://acme.example/.well-known/ssf-configuration"
SECRETS["OIDC_ACME_SSF_AUTHORIZATION"] = "Bearer chosen by us"
PING = {"zen": "Design for failure."}


def ping(site: Site) -> None:
    assert senders.github(site, PING, **{"X-GitHub-Event": "ping"}).status_code == 200


def test_each_route_is_listed_with_the_place_where_it_is_entered(make_site):
    site = make_site(look_alikes=(*ALL, "acme"), **SECRETS)
    items = answer(site, "inbox", "urls")["items"]
    opened = {item["url"] for item in items if item["open"]}
    assert all(item["open"] and item["where"] for item in items)
    connectors = site.app.extensions["quickstep"].connectors
    routes = {
        f"{site.url}/inbox/{dialect.path}"
        for dialect in build_dialects(connectors, site.url)
        # Of the issuers that we know, none tells us of sign-outs.
        if dialect.provider == "acme" or not dialect.path.endswith("/logout")
    }
    assert opened == routes
    for url in opened:
        path = url.removeprefix(f"{site.url}/inbox/")
        assert senders.post(site, path).status_code in (400, 401, 403, 415), url


def test_a_closed_route_names_the_setting_that_opens_it(make_site):
    site = make_site(look_alikes=("github", "google"))
    text = run(site, "inbox", "urls").stdout
    assert "GitHub: closed: set GITHUB_WEBHOOK_SECRET" in text
    assert f"{site.url}/inbox/github" in text
    assert senders.post(site, "github").status_code == 404


def test_receipts_are_listed_newest_first_and_name_nobody(make_site):
    site = make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET)
    assert "Nothing was reported." in run(site, "inbox", "list").stdout
    site.browser().sign_in("facebook", "ada")
    (subject,) = site.rows("SELECT subject FROM oauth")[0]
    ping(site)
    senders.facebook(site, "deauthorize", subject)
    items = answer(site, "inbox", "list")["items"]
    said = [(each["provider"], each["kind"], each["effect"]) for each in items]
    assert said == [("facebook", "consent_revoked", "ended_grant"), ("github", "ping", "ping")]
    text = run(site, "inbox", "list", "--provider", "facebook").stdout
    assert "facebook: consent_revoked, ended_grant" in text
    assert "github" not in text
    assert subject not in text + str(items)


def test_the_doctor_says_when_a_provider_was_last_heard(make_site):
    site = make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET)
    output = run(site, "providers", "check", "github").stdout
    assert line_of(output, "GitHub: inbox").startswith("ok    GitHub: inbox: never heard")
    ping(site)
    (at,) = [each["received_at"] for each in answer(site, "inbox", "list")["items"]]
    output = run(site, "providers", "check").stdout
    assert line_of(output, "GitHub: inbox") == f"ok    GitHub: inbox: last heard at {at}"


def test_the_doctor_says_what_would_open_a_route(make_site):
    output = run(make_site(look_alikes=("github",)), "providers", "check", "github").stdout
    assert "inbox: off; set GITHUB_WEBHOOK_SECRET to hear" in line_of(output, "GitHub: inbox")


def test_a_trial_of_each_route_arrives_and_leaves_everybody_as_they_are(make_site):
    site = make_site(look_alikes=(*ALL, "acme"), **SECRETS)
    browser = site.browser()
    browser.sign_in("facebook", "ada")
    for name in ("facebook", "github", "kakao", "slack", "twitch", "zoom"):
        found = answer(site, "inbox", "test", name)["items"]
        assert any("its receipt came" in each["message"] for each in found), name
    for name in ("apple", "discord", "google", "naver", "acme"):
        text = run(site, "inbox", "test", name).stdout
        assert "refuses what is unsigned" in text
        assert "FAIL" not in text
    effects = {row[0] for row in site.rows("SELECT effect FROM receipts")}
    assert effects == {"ping", "unknown"}
    assert browser.me()


def test_a_trial_names_what_is_wrong(make_site):
    site = make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET)
    other = make_site(GITHUB_WEBHOOK_SECRET="a secret of another server", PUBLIC_URL=site.url)
    result = run(other, "inbox", "test", "github")
    assert result.exit_code == 1
    assert "refused it with 401; was the server started with these settings" in result.stdout
    nowhere = make_site(GITHUB_WEBHOOK_SECRET="a secret here", PUBLIC_URL="http://localhost:9")
    assert "does PUBLIC_URL lead here?" in run(nowhere, "inbox", "test", "github").stdout
    without = run(site, "inbox", "test", "slack")
    assert without.exit_code == 2
    assert "slack has no open address here" in without.stderr


def test_a_trial_that_another_database_gets_is_told(make_site, monkeypatch):
    monkeypatch.setattr("commands.inbox_test.WAIT_SECONDS", 0.1)
    site = make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET)
    other = make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET, PUBLIC_URL=site.url)
    assert "no receipt came into this database" in run(other, "inbox", "test", "github").stdout
