"""The verbs of accounts on one site, with assertions to call them with, and what the rows hold."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import accounts
from accounts import activity, sessions
from accounts.activity import Caller
from accounts.decisions import Link, SignInDecision
from accounts.rules import Policy
from accounts.signing_in import SignIn
from errors import Problem, WrongAccount
from providers.base import Assertion
from providers.profile import make_profile
from storage import atomic, db
from tests.processes import until
from tests.site import Site

CALLER = Caller(address="192.0.2.1", user_agent="a browser")
ASK, AUTO, SEPARATE = Policy("ask"), Policy("auto"), Policy("separate")


def assertion(
    provider: str = "google",
    subject: str = "1",
    email: str | None = None,
    proved: Literal["no", "verified", "trusted"] = "no",
    issuer: str | None = None,
) -> Assertion:
    """The assertion of a flow. ``proved``: how far the provider vouches for the address."""
    return Assertion(
        provider=provider,
        issuer=issuer or f"https://{provider}.example",
        profile=make_profile(
            subject=subject,
            email=email,
            email_verified=proved != "no",
            email_trusted=proved == "trusted",
        ),
        token={"access_token": f"token of {subject}"},
    )


@dataclass(frozen=True)
class Seat:
    """A browser's session in an account."""

    user_id: str
    session_id: str
    token: str


@atomic
def _enter(who: Assertion, policy: Policy, replaces: str | None, **asked: Any) -> Any:
    """Start account and session in one transaction, as views/sign_in/login.py does."""
    result = accounts.sign_in(who, policy, CALLER, **asked)
    if result.identity is None:
        return result.decision, None
    session, token = sessions.start(result.identity, CALLER, replaces=replaces)
    return result.decision, Seat(session.user_id, session.id, token)


class Desk:
    """The verbs of accounts on one site, each in an application context of its own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.is_postgres = "postgresql" in str(site.app.config["SQLALCHEMY_DATABASE_URI"])

    def try_to_enter(
        self, who: Assertion, policy: Policy = ASK, *, replaces: str | None = None, **asked: Any
    ) -> tuple[SignInDecision, Seat | None]:
        return self.site.inside(_enter, who, policy, replaces, **asked)  # type: ignore[no-any-return]

    def enter(self, who: Assertion, policy: Policy = ASK, **asked: Any) -> Seat:
        decision, seat = self.try_to_enter(who, policy, **asked)
        assert seat, decision
        return seat

    def sign_in(self, who: Assertion, policy: Policy = ASK, **asked: Any) -> SignInDecision:
        result: SignIn = self.site.inside(accounts.sign_in, who, policy, CALLER, **asked)
        return result.decision

    def preview(self, who: Assertion, policy: Policy = ASK) -> SignInDecision:
        return self.site.inside(accounts.sign_in_preview, who, policy)  # type: ignore[no-any-return]

    def link(self, user_id: str, who: Assertion) -> Any:
        return self.site.inside(accounts.link, user_id, who, CALLER)

    def connect(self, user_id: str, who: Assertion, policy: Policy = ASK) -> None:
        self.site.inside(accounts.connect, user_id, who, policy, CALLER)

    def reauthenticate(self, user_id: str, identity_id: str, who: Assertion) -> bool:
        try:
            self.site.inside(accounts.reauthenticate, user_id, identity_id, who, CALLER)
        except WrongAccount:
            return False
        return True

    def merge(self, user_id: str, who: Assertion) -> None:
        self.site.inside(accounts.merge, user_id, who, CALLER)

    def unlink(
        self, seat: Seat, who: Assertion | str, policy: Policy = ASK, user_id: str | None = None
    ) -> None:
        identity_id = who if isinstance(who, str) else self.identity(who)
        user_id = user_id or seat.user_id
        self.site.inside(accounts.unlink, user_id, identity_id, policy, seat.session_id, CALLER)

    def account(self, *ways: Assertion) -> Seat:
        """Create an account with these identities, signed in with the first."""
        seat = self.enter(ways[0], SEPARATE)
        for way in ways[1:]:
            assert self.link(seat.user_id, way) == Link()
        return seat

    def switch(self, user_id: str, *, off: bool) -> None:
        moment = "'2026-01-01 00:00:00'" if off else "NULL"
        self.site.execute(f"UPDATE users SET disabled_at = {moment} WHERE id = :id", id=user_id)

    # Observations.

    def whose(self, seat: Seat) -> str | None:
        """The id of the account that a browser is signed in to."""
        session = self.site.inside(sessions.find, seat.token)
        return session.user_id if session else None

    def identity(self, who: Assertion) -> str:
        rows = self.site.rows(
            "SELECT id FROM oauth WHERE provider = :p AND issuer = :i AND subject = :s",
            p=who.provider,
            i=who.issuer,
            s=who.profile.subject,
        )
        return str(rows[0][0]) if rows else ""

    def owners(self) -> dict[tuple[str, str, str], str]:
        """The account of each identity."""
        rows = self.site.rows("SELECT provider, issuer, subject, user_id FROM oauth")
        owners = {(row[0], row[1], row[2]): str(row[3]) for row in rows}
        assert len(owners) == len(rows)
        return owners

    def owner(self, who: Assertion) -> str | None:
        return self.owners().get(key(who))

    def events(self, user_id: str) -> list[tuple[str, str, str]]:
        """The newest first: kind, reason, detail."""
        rows: Sequence[Any] = self.site.inside(activity.recent, user_id)
        return [(row.kind, row.reason, row.detail) for row in rows]

    def everything(self) -> list[Any]:
        """All rows that a verb could have written."""
        tables = ("users", "oauth", "sessions", "events")
        return [sorted(map(repr, self.site.rows(f"SELECT * FROM {name}"))) for name in tables]

    def check_nobody_is_half_made(self) -> None:
        users = {str(row[0]) for row in self.site.rows("SELECT id FROM users")}
        assert users == set(self.owners().values())

    def check_nobody_was_in_deadlock(self) -> None:
        """PostgreSQL ends a deadlock after a second, and a transaction that waits behind it may
        fail."""
        if not self.is_postgres:
            return
        with self.site.app.app_context():
            db.engine.dispose()  # a connection reports its statistics when it ends, at the latest
        here = "datname = current_database()"
        own = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        others = f"SELECT 1 FROM pg_stat_activity WHERE {here} AND {own}"
        until(lambda: not self.site.rows(others))
        assert self.site.rows(f"SELECT deadlocks FROM pg_stat_database WHERE {here}") == [(0,)]

    # Concurrency.

    def at_once(self, *verbs: Callable[[], Any]) -> list[Any]:
        """Run verbs in threads that start together; return what each returned, or its Problem."""
        barrier = threading.Barrier(len(verbs))

        def run(verb: Callable[[], Any]) -> Any:
            barrier.wait(30)
            return outcome_of(verb)

        with ThreadPoolExecutor(len(verbs)) as pool:
            return list(pool.map(run, verbs))

    def overtake(self, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
        """Begin ``second`` after ``first`` has done its work and before it commits."""
        done, commit = threading.Event(), threading.Event()

        @atomic
        def slowly() -> Any:
            result = first()
            done.set()
            assert commit.wait(30)
            return result

        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(outcome_of, lambda: self.site.inside(slowly))
            one.add_done_callback(lambda _: done.set())
            assert done.wait(30)
            two = pool.submit(outcome_of, second)
            self._wait_until_blocked(two)
            commit.set()
            return [one.result(30), two.result(30)]

    def _wait_until_blocked(self, verb: Future[Any]) -> None:
        """PostgreSQL shows which backend waits for a lock; SQLite lets no second writer begin."""
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        here = " AND datname = current_database()"
        while self.is_postgres and not verb.done() and not self.site.rows(waiting + here):
            time.sleep(0.001)  # which leaves the processor to those that are waited for


def outcome_of(verb: Callable[[], Any]) -> Any:
    try:
        return verb()
    except Problem as problem:
        return problem


def key(who: Assertion) -> tuple[str, str, str]:
    return who.provider, who.issuer, who.profile.subject


NEWCOMER = assertion("github", "new", "ada@gmail.com", "verified")
