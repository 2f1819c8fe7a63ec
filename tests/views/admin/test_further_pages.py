"""Events, groups, applications, providers and outboxes, as an administrator sees them."""

from datetime import timedelta

import requests

from issuer.models import LogoutRow
from notices.models import Mail
from storage import now
from tests.commands.console import answer
from tests.commands.test_users import id_of, sign_in
from tests.inbox import senders
from tests.issuer.relying_party import App
from tests.processes import until
from tests.views.account.test_reauthentication import grow_old
from tests.views.admin.conftest import make_admin
from tests.views.operator.test_metrics import add
from vault.models import Revocation

PATHS = ("events", "groups", "applications", "providers", "outboxes")


def is_enabled(app: App) -> bool:
    return app.client.is_enabled


def acts(site) -> list[str]:
    return [each["act"] for each in answer(site, "admin", "log")["items"]]


def test_nobody_without_the_right_sees_these_pages(site):
    grace = sign_in(site, "grace")
    app = App(site)
    token = grace.get("/account").csrf_token
    for path in (*PATHS, f"applications/{app.client_id}"):
        assert grace.fetch(f"/admin/{path}").status == 404
        assert site.browser().fetch(f"/admin/{path}").status == 404
    for path in (
        f"applications/{app.client_id}/disable",
        "outboxes/logouts/retry",
        "providers/google/check",
    ):
        form = {"csrf_token": token}
        assert grace.fetch(f"/admin/{path}", "POST", data=form).status == 404
    assert is_enabled(app)


# Events.


def test_events_of_everybody_are_found_by_kind_provider_and_reference(both):
    admin = make_admin(both)
    grace = sign_in(both, "grace")
    grace.link("github", "grace")
    everything = admin.get("/admin/events").text
    assert "Grace Hopper: Account created with Google" in everything
    assert "Grace Hopper: Connected GitHub" in everything
    assert "Ada Lovelace: Account created with Google" in everything
    linked = admin.get("/admin/events?kind=linked").text
    assert "Connected GitHub" in linked
    assert "Account created" not in linked
    google = admin.get("/admin/events?provider=google").text
    assert "Account created with Google" in google
    assert "Connected GitHub" not in google
    ((reference,),) = both.rows("SELECT reference FROM events WHERE kind = 'linked'")
    one = admin.get("/admin/events", params={"reference": f" {reference.lower()} "}).text
    assert "Connected GitHub" in one
    assert "Account created" not in one
    for query in ("reference=' OR 1=1 --&kind=nonsense&after=nonsense", "provider=%00"):
        assert "Nothing was found." in admin.get(f"/admin/events?{query}").text


def test_events_come_in_pages(site):
    admin = make_admin(site)
    site.execute("DELETE FROM events")
    for number in range(60):
        site.execute(
            "INSERT INTO events (id, user_id, at, kind, reason, provider, detail, user_agent, "
            "address, reference) "
            "VALUES (:id, :user, :at, 'group_joined', '', '', :name, '', '', '')",
            id=f"{number:032x}",
            user=id_of(admin),
            at=f"{now() - timedelta(minutes=number):%Y-%m-%d %H:%M:%S.%f}",
            name=f"g{number:02}",
        )
    first = admin.get("/admin/events?kind=group_joined")
    assert "Added to the group g49" in first.text
    assert "g50" not in first.text
    (older,) = [link for link in first.links() if "after=" in link]
    rest = admin.get(older)
    assert "Added to the group g50" in rest.text
    assert "Added to the group g59" in rest.text
    assert "g49" not in rest.text


def test_text_of_others_on_the_events_page_is_text(site):
    admin = make_admin(site)
    site.execute("UPDATE users SET name = '<script>alert(1)</script>'")
    site.execute("UPDATE events SET user_agent = '<b>x', detail = '<b>y', address = '<b>z'")
    page = admin.get("/admin/events")
    assert "<script>alert" not in page.html
    assert "<b>" not in page.html


# Groups.


def test_groups_and_their_people_are_shown(site):
    admin = make_admin(site)
    grace = sign_in(site, "grace")
    assert "None." in admin.get("/admin/groups").text
    answer(site, "groups", "add", "crew", id_of(grace))
    assert "1 person" in admin.get("/admin/groups").text
    page = admin.get("/admin/groups/crew")
    assert "Grace Hopper" in page.text
    assert "Put in by hand" in page.text
    assert f"/admin/people/{id_of(grace)}" in page.html
    assert admin.fetch("/admin/groups/nobody").status == 404


# Applications.


def test_an_application_is_shown_with_its_people_and_without_its_secret(both):
    admin = make_admin(both)
    grace = sign_in(both, "grace")
    app = App(
        both, "<b>Wiki", "--allow", "everyone", "--backchannel-logout-uri", "https://w.example/out"
    )
    app.tokens(grace)
    listed = admin.get("/admin/applications")
    assert "<b>Wiki" in listed.text
    assert "<b>Wiki" not in listed.html
    page = admin.get(f"/admin/applications/{app.client_id}")
    assert app.redirect_uri in page.text
    assert "1 person uses it" in page.text
    assert "Grace Hopper" in page.text
    hashes = both.rows("SELECT secret_hash FROM clients")[0]
    assert not any(secret in page.html for secret in (app.secret, *hashes))
    assert admin.fetch("/admin/applications/" + "0" * 32).status == 404


def test_an_application_is_disabled_and_enabled_after_a_fresh_sign_in(site):
    admin = make_admin(site)
    app = App(site)
    path = f"/admin/applications/{app.client_id}"
    grow_old(site)
    asked = admin.post(f"{path}/disable", admin.get(path), back=path)
    assert asked.heading == "Confirm it's you"
    assert is_enabled(app)
    admin = sign_in(site, "ada")
    done = admin.post(f"{path}/disable", admin.get(path), back=path)
    assert "Disabled" in done.text
    assert not is_enabled(app)
    assert app.post("introspect", {"token": "x"}).status_code == 401
    admin.post(f"{path}/enable", admin.get(path), back=path)
    assert is_enabled(app)
    assert acts(site)[:2] == ["client_enabled", "client_disabled"]
    admin.post(f"{path}/enable", admin.get(path), back=path)
    assert acts(site)[0:2] == ["client_enabled", "client_disabled"]


def test_commands_that_change_an_application_are_in_the_log(site):
    app = App(site)
    for words in (
        ("set", app.client_id, "--name", "Wiki"),
        ("rotate-secret", app.client_id),
        ("disable", app.client_id),
        ("enable", app.client_id),
        ("delete", app.client_id, "--yes"),
    ):
        answer(site, "clients", *words)
    assert acts(site) == [
        "client_removed",
        "client_enabled",
        "client_disabled",
        "client_secret_rotated",
        "client_changed",
        "client_added",
    ]


# Outboxes.


def wait_long(site, app: App) -> None:
    """A revocation and a logout that were tried, and are to be tried again in hours."""
    later = {"created_at": now() - timedelta(hours=5), "due_at": now() + timedelta(hours=2)}
    token = Revocation(provider="google", issuer="one", sealed="nothing", attempts=8, **later)
    logout = LogoutRow(client_id=app.client_id, sub="ada", attempts=8, **later)
    mail = Mail(kind="approved", address_hash="", sealed="nothing", attempts=8, **later)
    mail.detail = "RCPT 450"
    site.inside(add, token, logout, mail)


def test_outboxes_show_what_the_metrics_count_and_try_again_now(make_site):
    site = make_site(MAIL_URL="smtp://127.0.0.1:1", MAIL_FROM="no-reply@acme.example")
    admin = make_admin(site)
    assert admin.get("/admin/outboxes").text.count("Nothing is waiting.") == 3
    wait_long(site, App(site))
    page = admin.get("/admin/outboxes")
    assert page.text.count("1 waiting.") == 3
    found = series_of(site)
    assert found["quickstep_revocations_waiting"] == found["quickstep_logouts_waiting"] == 1
    assert found["quickstep_mails_waiting"] == 1
    for name in ("revocations", "logouts", "mails"):
        told = admin.post(f"/admin/outboxes/{name}/retry", page, back="/admin/outboxes")
        assert told.message == "Being tried again now: 1."
    tried = "SELECT attempts FROM revocations UNION ALL SELECT attempts FROM logouts"
    until(lambda: site.rows(tried) == [(9,), (9,)])
    # Nothing opens the mail.
    until(lambda: site.rows("SELECT state FROM mails") == [("undeliverable",)])
    assert acts(site)[:3] == ["outbox_retried"] * 3
    assert admin.post("/admin/outboxes/nothing/retry", page).status == 404


def series_of(site) -> dict[str, float]:
    lines = requests.get(f"{site.url}/metrics", timeout=30).text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("quickstep_"))
    return {name: float(value) for name, value in pairs}


def test_a_retry_leaves_alone_what_is_being_tried(site):
    """The lease of a row that was taken just now is not ended."""
    admin = make_admin(site)
    leased = {"created_at": now() - timedelta(hours=5)}
    pause = timedelta(seconds=60 * 2**7 - 5)
    app = App(site)
    site.inside(
        add,
        Revocation(
            provider="google", issuer="one", sealed="x", attempts=8, due_at=now() + pause, **leased
        ),
        LogoutRow(
            client_id=app.client_id,
            sub="ada",
            attempts=8,
            due_at=now() + timedelta(seconds=55),
            **leased,
        ),
    )
    before = site.rows("SELECT due_at FROM revocations UNION ALL SELECT due_at FROM logouts")
    page = admin.get("/admin/outboxes")
    for name in ("revocations", "logouts"):
        admin.post(f"/admin/outboxes/{name}/retry", page, back="/admin/outboxes")
    after = site.rows("SELECT due_at FROM revocations UNION ALL SELECT due_at FROM logouts")
    assert after == before
    assert "outbox_retried" not in acts(site)


# Providers.


def test_a_provider_is_shown_with_what_this_process_knows(make_site):
    site = make_site(GITHUB_TOKEN_URL="http://127.0.0.1:9/token")
    admin = make_admin(site)
    page = admin.get("/admin/providers")
    assert "Last sign-in" in page.text
    assert "No sign-in in 90 days" in page.text
    assert "Not answering" not in page.text
    for _ in range(5):
        site.browser().sign_in("github", "grace")
    page = admin.get("/admin/providers")
    assert page.text.count("Not answering") == 1
    assert "http://127.0.0.1:9 does not answer" in page.text


def test_a_provider_is_shown_with_its_last_report(make_site):
    site = make_site(GITHUB_WEBHOOK_SECRET=senders.GITHUB_SECRET)
    admin = make_admin(site)
    assert "reported something" not in admin.get("/admin/providers").text
    assert senders.github(site, {}, **{"X-GitHub-Event": "ping"}).status_code == 200
    assert admin.get("/admin/providers").text.count("It reported something last") == 1


def test_a_provider_is_checked_now_six_times_a_minute_at_most(site):
    admin = make_admin(site)
    page = admin.get("/admin/providers")
    found = admin.post("/admin/providers/google/check", page, back="/admin/providers")
    assert found.heading == "Check of Google"
    assert "reachable and knows the client" in found.text
    statuses = [
        admin.post("/admin/providers/google/check", page, back="/admin/providers").status
        for _ in range(6)
    ]
    assert statuses == [200] * 5 + [429]
    other = admin.post("/admin/providers/github/check", page, back="/admin/providers")
    assert other.status == 200
    assert admin.post("/admin/providers/nowhere/check", page).status == 404
