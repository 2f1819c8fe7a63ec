"""Mail goes out through a real server; refusals, failures and crashes lose none."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from accounts import cleanup
from notices import mails, sending
from notices.mails import MailKind
from notices.sending import Postman
from storage import atomic, now
from tests.notices.mail_server import ENCODED, MailServer, serving
from tests.processes import until
from tests.providers.http.peers import certificate
from tests.site import Site

ADA, GRACE = "ada@math.example", "grace@navy.example"
FROM = "Acme <no-reply@acme.example>"
LONG_AGO = "2020-01-01 00:00:00.000000"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with serving() as server:
        yield server


@pytest.fixture
def site(make_site, mail_server) -> Site:
    return with_mail(make_site, f"smtp://127.0.0.1:{mail_server.port}")


def with_mail(make_site, url: str, database: str = "sqlite", **settings: str) -> Site:
    """A site whose own job sends nothing: the test has its postman."""
    made: Site = make_site(
        database, MAIL_URL=url, MAIL_FROM=FROM, **({"MAIL_TIMEOUT": "1"} | settings)
    )
    made.app.extensions["jobs"].stop()
    return made


def plan(site: Site, *to: str, kind: MailKind = MailKind.APPROVED, fails: bool = False) -> None:
    @atomic
    def write() -> None:
        mails.plan(kind, to or [ADA], user_id=None, data={"path": "/login"})
        if fails:
            raise LookupError

    site.inside(write)


def postman(site: Site, dead: list[str] | None = None) -> Postman:
    server = site.inside(mails.server)
    return Postman(server, ([] if dead is None else dead).append)


def send(site: Site, by: Postman | None = None) -> list[str]:
    return list(site.inside((by or postman(site)).send_due))


def make_due(site: Site) -> None:
    site.execute("UPDATE mails SET due_at = :at", at=LONG_AGO)


def pause_of(site: Site) -> float:
    """Seconds until the only mail is due, rounded to a minute."""
    seconds: float = site.inside(sending.seconds_to_next)
    return round(seconds / 60) * 60


def test_a_mail_goes_out_after_its_event_and_leaves_no_address_behind(site, mail_server):
    plan(site, ADA, GRACE, ADA)
    assert send(site) == ["sent", "sent"]
    assert mail_server.receivers == [ADA, GRACE]
    message = mail_server.taken[0]
    assert (message["From"], message["To"]) == (FROM, ADA)
    assert message["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in message
    assert site.rows("SELECT state, sealed FROM mails") == [("sent", None)] * 2


def test_a_server_sends_by_itself_after_the_request(make_site, mail_server):
    url = f"smtp://127.0.0.1:{mail_server.port}"
    made = make_site(MAIL_URL=url, MAIL_FROM=FROM)

    @atomic
    def approve() -> None:
        mails.plan(MailKind.APPROVED, [ADA], user_id=None, data={})

    made.app.add_url_rule("/-/approve", view_func=lambda: approve() or "done")
    made.browser().get("/-/approve")
    until(lambda: mail_server.taken)
    assert mail_server.receivers == [ADA]


def test_a_mail_server_that_hangs_slows_no_request(make_site, mail_server):
    """The answer is there while the server has not even begun to take the mail."""
    mail_server.answers["MAIL"] = "hang"
    url = f"smtp://127.0.0.1:{mail_server.port}"
    made = make_site(MAIL_URL=url, MAIL_FROM=FROM)

    @atomic
    def approve() -> None:
        mails.plan(MailKind.APPROVED, [ADA], user_id=None, data={})

    made.app.add_url_rule("/-/approve", view_func=lambda: approve() or "done")
    assert made.browser().get("/-/approve").text == "done"
    assert mail_server.taken == []
    until(lambda: mail_server.tried)
    # Nor does it hold the database.
    assert made.browser().get("/readyz").status == 200


def test_an_event_that_is_rolled_back_sends_nothing(site, mail_server):
    with pytest.raises(LookupError):
        plan(site, fails=True)
    assert send(site) == []
    assert site.rows("SELECT count(*) FROM mails") == [(0,)]


def test_without_a_mail_server_nothing_is_queued(make_site):
    made = make_site()
    plan(made)
    assert made.inside(mails.is_on) is False
    assert made.rows("SELECT count(*) FROM mails") == [(0,)]


def test_an_address_is_sealed_while_it_waits(site):
    plan(site)
    ((sealed, address_hash),) = site.rows("SELECT sealed, address_hash FROM mails")
    assert "math.example" not in sealed + address_hash


def sent_lines(caplog) -> list[logging.LogRecord]:
    return [line for line in caplog.records if line.name == "notices.sending"]


# What protects the connection.


def test_mail_goes_through_starttls_and_a_password(make_site, tmp_path):
    context, ca = certificate(tmp_path, "localhost")
    with serving(context, starttls=True, auth=True) as server:
        for url in ("smtp+starttls", "smtp"):
            port = f":{server.port}"
            made = with_mail(make_site, f"{url}://{ENCODED}@localhost{port}", MAIL_CA_FILE=str(ca))
            plan(made)
            send(made)
        assert server.receivers == [ADA]  # the second spoke without TLS to a server that needs it
        ((detail,),) = made.rows("SELECT detail FROM mails")
        assert detail


def test_mail_goes_through_tls_from_the_beginning(make_site, tmp_path):
    context, ca = certificate(tmp_path, "localhost")
    with serving(context) as server:
        made = with_mail(make_site, f"smtps://localhost:{server.port}", MAIL_CA_FILE=str(ca))
        plan(made)
        assert send(made) == ["sent"]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_an_unknown_certificate_gets_no_mail(make_site, tmp_path, scheme):
    context, _ca = certificate(tmp_path, "localhost")
    with serving(context, starttls=scheme != "smtps") as server:
        made = with_mail(make_site, f"{scheme}://localhost:{server.port}")
        plan(made)
        assert send(made) == ["postponed"]
        assert (server.tried, server.taken) == (0, [])
    assert made.rows("SELECT detail FROM mails") == [("certificate not trusted",)]


def test_a_server_without_starttls_gets_no_mail(make_site, mail_server):
    made = with_mail(make_site, f"smtp+starttls://localhost:{mail_server.port}")
    plan(made)
    assert send(made) == ["postponed"]
    assert mail_server.tried == 0


# Failures.


@pytest.mark.parametrize("answer", ["451 later", "drop", "hang"])
def test_a_mail_is_tried_again_ever_later_with_the_same_message_id(site, mail_server, answer):
    mail_server.answers["DATA"] = answer
    plan(site)
    pauses = []
    for _ in range(1 if answer == "hang" else 11):
        assert send(site) == ["postponed"]
        pauses.append(pause_of(site))
        make_due(site)
    assert pauses == [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600][: len(pauses)]
    ((mail_id, attempts),) = site.rows("SELECT id, attempts FROM mails")
    assert attempts == len(pauses)
    mail_server.answers.clear()
    assert send(site) == ["sent"]
    assert mail_server.taken[0]["Message-ID"] == f"<{mail_id}@localhost>"


def test_a_mail_is_given_up_after_three_days_with_an_error(site, mail_server, caplog):
    mail_server.answers["RCPT"] = "450 full"
    plan(site)
    for days, end in ((2.9, "postponed"), (3.1, "given_up")):
        created_at = now() - timedelta(days=days)
        site.execute("UPDATE mails SET created_at = :at", at=f"{created_at:%Y-%m-%d %H:%M:%S.%f}")
        make_due(site)
        assert send(site) == [end]
    assert [line.levelname for line in sent_lines(caplog)] == ["WARNING", "ERROR"]
    assert site.rows("SELECT state, sealed FROM mails") == [("given_up", None)]


def test_an_address_that_is_refused_three_times_is_dead(site, mail_server):
    mail_server.answers["RCPT"] = "550 5.1.1 no such user"
    dead: list[str] = []
    by = postman(site, dead)
    plan(site, GRACE)
    for count in range(3):
        assert dead == []
        plan(site)
        assert send(site, by).count("undeliverable") == (2 if count == 0 else 1)
    assert dead == [ADA]


def test_a_refusal_that_is_not_about_the_address_does_not_count(site, mail_server):
    mail_server.answers["RCPT"] = "554 5.7.1 relay access denied"
    plan(site)
    assert send(site) == ["postponed"]


def test_what_fails_at_one_mail_keeps_no_other_back(site, mail_server):
    mail_server.answers["DATA"] = "554 no"
    plan(site)
    send(site)
    mail_server.answers.clear()
    plan(site, GRACE)
    assert send(site) == ["sent"]


def test_a_wrong_password_keeps_everything_and_is_said_once_a_minute(make_site, tmp_path, caplog):
    context, ca = certificate(tmp_path, "localhost")
    with serving(context, starttls=True, auth=True) as server:
        url = f"smtp+starttls://quickstep:wrong@localhost:{server.port}"
        made = with_mail(make_site, url, MAIL_CA_FILE=str(ca))
        logging.getLogger().addHandler(caplog.handler)  # which the new application removed
        plan(made, ADA, GRACE)
        made.execute("UPDATE mails SET created_at = :at", at=LONG_AGO)
        by = postman(made)
        for _ in range(5):
            assert 0 < made.inside(by.work) <= 60
    (line,) = sent_lines(caplog)
    assert line.levelname == "ERROR"
    assert "AUTH 535" in line.getMessage()
    assert made.rows("SELECT count(*) FROM mails WHERE state = 'waiting'") == [(2,)]


def test_a_server_that_is_away_is_asked_once_and_then_left_alone(make_site):
    made = with_mail(make_site, "smtp://127.0.0.1:1")
    plan(made, ADA, GRACE, "third@math.example")
    assert send(made) == ["postponed"]


def test_two_processes_deliver_each_mail_once(make_site, mail_server):
    made = with_mail(make_site, f"smtp://127.0.0.1:{mail_server.port}")
    plan(made, *(f"person{number}@math.example" for number in range(60)))
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(send, made, postman(made)) for _ in range(2)]
        ends = [end for each in found for end in each.result()]
    assert ends == ["sent"] * 60
    assert len(mail_server.receivers) == len(set(mail_server.receivers)) == 60


def test_a_process_that_dies_after_the_servers_answer_sends_twice_at_most(site, mail_server):
    plan(site, ADA, GRACE)
    lost = site.inside(sending.lease_next, 0.05)  # a lease of a second
    assert send(site) == ["sent"]
    make_due(site)
    assert send(site) == ["sent"]
    assert sorted(mail_server.receivers) == [ADA, GRACE]
    # The late answer of the first process changes nothing.
    end = sending._finish
    site.inside(end, lost, "postponed", "late", None, [].append)
    assert site.rows("SELECT DISTINCT state FROM mails") == [("sent",)]


def test_rows_are_kept_for_a_day_after_sending(site):
    plan(site)
    send(site)
    site.inside(cleanup.run_now)
    assert site.rows("SELECT count(*) FROM mails") == [(1,)]
    yesterday = now() - timedelta(hours=25)
    site.execute("UPDATE mails SET ended_at = :at", at=f"{yesterday:%Y-%m-%d %H:%M:%S.%f}")
    site.inside(cleanup.run_now)
    assert site.rows("SELECT count(*) FROM mails") == [(0,)]
