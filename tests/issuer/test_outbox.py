"""The outbox of back-channel logouts, with real applications: down, failing, slow, endless."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from flask import Flask

from issuer import id_tokens, logouts
from issuer.logouts import Logout
from jobs.parallel import AT_ONCE, PER_RECEIVER, Deliverer
from providers.http.breaker import mark_as_beside
from providers.http.transport import Transport
from storage import atomic, now
from tests.issuer.applications import Applications
from tests.issuer.pair import Pair
from tests.issuer.relying_party import App
from tests.processes import until
from views.oidc.wiring import sender

MANY = 24


def register(pair: Pair, url: str, name: str = "Notes") -> App:
    return App(pair.site, name, "--backchannel-logout-uri", url)


def plan(pair: Pair, app: App, count: int = 1) -> None:
    """Write so many logouts of one person into the outbox."""

    @atomic
    def write() -> None:
        client = app.client
        for number in range(count):
            logouts.plan(client, "0" * 32, f"sid-{number}")

    pair.site.inside(write)


def token_maker(pair: Pair) -> logouts.MakeToken:
    return lambda logout: id_tokens.make_logout_token(pair.site.url, logout)


def deliver(pair: Pair) -> list[str]:
    """Try what is due once."""
    deliver_due: Callable[..., Any] = logouts.deliver_due
    return list(pair.site.inside(deliver_due, token_maker(pair), sender(Transport())))


def make_due(pair: Pair) -> None:
    pair.site.execute("UPDATE logouts SET due_at = '2026-01-01 00:00:00+00:00'")


def deliver_again(pair: Pair) -> list[str]:
    """Try everything again. Where calls failed in a row, the next is put off for a moment."""
    make_due(pair)
    return deliver(pair)


def waiting(pair: Pair) -> int:
    return int(pair.site.inside(logouts.waiting).count)


def deliverer(pair: Pair, application: Flask) -> Deliverer[Logout]:
    outbox = logouts.outbox(token_maker(pair), sender(Transport()))
    return Deliverer(application, outbox, mark_as_beside)


def test_an_application_that_fails_twice_is_told_a_third_time(pair, applications):
    plan(pair, register(pair, f"{applications.url}/out"))
    applications.statuses = [503, 503]
    for end in ("postponed", "postponed", "delivered"):
        assert deliver_again(pair) == [end]
    assert len(applications.seen) == 3
    assert waiting(pair) == 0


def test_an_application_that_was_down_for_an_hour_is_told_once_it_is_back(pair):
    gone = Applications()
    gone.stop()
    plan(pair, register(pair, f"{gone.url}/out"))
    an_hour_ago = now() - timedelta(hours=1)
    pair.site.execute("UPDATE logouts SET created_at = :moment", moment=str(an_hour_ago))
    for _ in range(3):
        assert deliver_again(pair) == ["postponed"]
    back = Applications(gone.port)
    try:
        until(lambda: deliver_again(pair) == ["delivered"])
        assert len(back.seen) == 1
    finally:
        back.stop()


def test_an_application_is_given_up_after_two_days_with_an_error(pair, applications, caplog):
    app = register(pair, f"{applications.url}/out")
    plan(pair, app)
    applications.statuses = [500]
    moment = str(now() - timedelta(days=2, minutes=1))
    pair.site.execute("UPDATE logouts SET created_at = :moment", moment=moment)
    assert deliver(pair) == ["given_up"]
    assert waiting(pair) == 0
    (line,) = [each for each in caplog.records if "given_up" in each.getMessage()]
    assert line.levelname == "ERROR"
    assert app.client_id in line.getMessage()


def test_an_answer_without_an_end_is_read_only_so_far(pair, applications):
    plan(pair, register(pair, f"{applications.url}/endless"))
    assert deliver(pair) == ["postponed"]
    assert applications.sent_bytes < 16 * 1024 * 1024


def test_two_instances_tell_of_each_logout_once(pair, applications):
    app = register(pair, f"{applications.url}/out")
    plan(pair, app, MANY)

    def work(application: Flask) -> None:
        mine = deliverer(pair, application)
        with application.app_context():
            until(lambda: mine.work() is None)

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(work, one) for one in (pair.site.app, pair.second)]:
            each.result(60)
    told = [app.claims(token)["sid"] for _path, token in applications.seen]
    assert sorted(told) == sorted(f"sid-{number}" for number in range(MANY))


def test_what_a_crashed_instance_was_about_to_tell_is_told_by_another(pair, applications):
    app = register(pair, f"{applications.url}/out")
    plan(pair, app)
    assert pair.site.inside(logouts.lease_next, app.client_id)  # and then it dies
    assert deliver(pair) == []
    assert deliver_again(pair) == ["delivered"]
    assert len(applications.seen) == 1


def test_no_logout_waits_in_a_queue_while_its_lease_runs_out(pair, applications):
    """Another instance would take it for a crashed one's, and tell the application too."""
    for number in range(AT_ONCE // PER_RECEIVER + 2):
        app = register(pair, f"{applications.url}/slow", f"App {number}")
        plan(pair, app, PER_RECEIVER)
    mine = deliverer(pair, pair.site.app)
    with pair.site.app.app_context():
        mine.work()
        until(lambda: len(applications.seen) == AT_ONCE)
        leased = pair.site.rows("SELECT count(*) FROM logouts WHERE attempts > 0")[0][0]
        assert leased == AT_ONCE
        applications.let_go.set()
        until(lambda: mine.work() is None)
    assert len(applications.seen) == AT_ONCE + 2 * PER_RECEIVER
