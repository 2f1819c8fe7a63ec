"""An account or its session vanishes while its person does something else: each act in the browser
or by the API ends as done, or as "This account was deleted" or "You are signed out"."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from flask import has_request_context
from sqlalchemy import Table, delete, insert, select

import accounts
from accounts import identities
from jobs.models import Job
from providers.base import Assertion, Profile
from storage import db, transactions
from tests.accounts.desk import CALLER, outcome_of
from tests.browser import Browser, Page
from tests.site import Site
from web import limits

GONE = {
    "deleted": ("This account was deleted", "account_deleted"),
    "merged": ("This account was deleted", "account_deleted"),
    "signed out": ("You are signed out", "session_ended"),
    "disabled": ("You are signed out", "session_ended"),
}
# How many moments are tried: there are up to five, and the account is as gone by a merge.
MOMENTS = {"deleted": 9, "merged": 2, "signed out": 2, "disabled": 1}
# Acts of which nothing is left to do when their person is gone.
SATISFIED = ("sign out", "api: sign out")


class Rival:
    """Something that happens to an account while a request of its person runs: before the view
    (moment 0), or before the request's first, second, … write transaction."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self._site, self._moment = site, 0
        self._verb: Callable[[], Any] | None = None
        self.fired = False
        run_once = transactions._run_once

        def interrupted(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            self._pass_moment()
            return run_once(verb, *args, **kwargs)

        monkeypatch.setattr(transactions, "_run_once", interrupted)
        site.app.before_request_funcs[None].append(self._pass_moment)

    def arm(self, verb: Callable[[], Any], moment: int) -> None:
        self._verb, self._moment, self.fired = verb, moment, False

    def disarm(self) -> None:
        self._verb = None

    def _pass_moment(self) -> None:
        if self._verb is None or not has_request_context():  # not for jobs
            return
        if self._moment > 0:
            self._moment -= 1
            return
        verb, self._verb = self._verb, None
        thread = threading.Thread(target=outcome_of, args=(partial(self._site.inside, verb),))
        thread.start()
        thread.join(30)
        self.fired = True


class World:
    """All rows of a site as they are now, to be brought back for each case: signing people in again
    would take most of the time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        # Jobs go on meanwhile, and keep their leases.
        self._tables = [each for each in db.metadata.sorted_tables if each is not Job.__table__]
        self._rows = site.inside(self._read)

    def bring_back(self) -> None:
        self._site.inside(self._write)

    def _read(self) -> dict[Table, list[dict[str, Any]]]:
        with db.engine.connect() as connection:
            found = {each: connection.execute(select(each)).mappings() for each in self._tables}
            return {each: [dict(row) for row in rows] for each, rows in found.items()}

    def _write(self) -> None:
        with db.engine.begin() as connection:
            for table in reversed(self._tables):
                connection.execute(delete(table))
            for table, rows in self._rows.items():
                if rows:
                    connection.execute(insert(table), rows)


@dataclass
class Person:
    """Somebody with two identities and two sessions, and what one of their browsers can do."""

    browser: Browser
    site: Site

    def __post_init__(self) -> None:
        assert self.browser.sign_in("google", "ada").path == "/account"
        self.browser.link("github", "ada")
        self.site.browser().sign_in("google", "ada")
        me = self.browser.fetch("/api/v1/me")
        self.csrf = me.headers["X-CSRF-Token"]
        self.user_id = str(me.response.json()["id"])
        rows = me.response.json()["identities"]
        self.google, self.github = (row["id"] for row in rows)
        account = self.browser.get("/account")
        self.token = account.csrf_token
        listed = self.browser.fetch("/api/v1/sessions").response.json()["items"]
        self.session, self.other = (
            next(row["id"] for row in listed if row["current"] is current)
            for current in (True, False)
        )
        self.cookies = self.browser.http.cookies.copy()

    def return_in(self, browser: Browser) -> None:
        """Go on in another browser, with the cookies of the beginning."""
        browser.http.cookies = self.cookies.copy()
        self.browser = browser

    def post(self, path: str, **form: str) -> Callable[[], Page]:
        data = {"csrf_token": self.token, **form}
        return lambda: self.browser.fetch(path, "POST", data=data)

    def call(self, method: str, path: str, **kwargs: Any) -> Callable[[], Page]:
        headers = {"X-CSRF-Token": self.csrf}
        return lambda: self.browser.fetch(f"/api/v1{path}", method, headers=headers, **kwargs)

    def come_back(self, page: Page, person: str) -> Callable[[], Page]:
        url = self.browser.choose(page.location or page.onward, person)
        return lambda: self.browser.fetch(url)

    def come_back_to_another(self, begin: Callable[[], Page]) -> Callable[[], Page]:
        self.site.browser().sign_in("google", "grace")
        return self.come_back(begin(), "grace")

    def asked_to_merge(self) -> Callable[[], Page]:
        self.site.browser().sign_in("facebook", "linus")
        return self.answer(self.browser.link("facebook", "linus"), "merge")

    def answer(self, page: Page, answer: str) -> Callable[[], Page]:
        assert page.hidden("flow"), page
        return self.post("/login/confirm", flow=page.hidden("flow"), answer=answer)


ACTS: dict[str, Callable[[Person], Callable[[], Page]]] = {
    "delete": lambda who: who.post("/account/delete", confirm="DELETE"),
    "unlink": lambda who: who.post(f"/account/unlink/{who.github}"),
    "begin to link": lambda who: who.post("/account/link/facebook"),
    "link": lambda who: who.come_back(who.post("/account/link/facebook")(), "ada"),
    "begin to confirm": lambda who: who.post(f"/account/reauth/{who.google}"),
    "confirm": lambda who: who.come_back(who.post(f"/account/reauth/{who.google}")(), "ada"),
    "be asked to merge": lambda who: who.come_back_to_another(who.post("/account/link/google")),
    "merge": lambda who: who.asked_to_merge(),
    "be asked to switch": lambda who: who.come_back_to_another(
        lambda: who.browser.fetch("/login/google")
    ),
    "refresh": lambda who: who.post(f"/account/identities/{who.google}/refresh"),
    "save": lambda who: who.post("/account/profile", name="A.", email=who.google, picture=""),
    "download": lambda who: who.post("/account/data"),
    "sign out": lambda who: who.post("/logout"),
    "end another session": lambda who: who.post(f"/account/sessions/{who.other}/end"),
    "end other sessions": lambda who: who.post("/account/sessions/end-others"),
    "api: rename": lambda who: who.call("PATCH", "/me", json={"name": "A."}),
    "api: unlink": lambda who: who.call("DELETE", f"/identities/{who.github}"),
    "api: sign out": lambda who: who.call("DELETE", f"/sessions/{who.session}"),
    "api: export": lambda who: who.call("POST", "/export"),
    "api: delete": lambda who: who.call("DELETE", "/me"),
    "api: end session": lambda who: who.call("DELETE", f"/sessions/{who.other}"),
}


def rival_of(kind: str, who: Person, merging_user: str | None) -> Callable[[], Any]:
    def merge_away() -> None:
        found = identities.own(who.user_id, who.google)
        opened = Assertion(
            provider=found.provider,
            issuer=found.issuer,
            profile=Profile(subject=found.subject),
        )
        accounts.merge(str(merging_user), opened, CALLER)

    return {
        "deleted": lambda: accounts.delete(who.user_id, CALLER),
        "merged": merge_away,
        "signed out": lambda: accounts.end_other_sessions(who.user_id, CALLER),
        "disabled": lambda: accounts.disable(who.user_id, CALLER),
    }[kind]


@pytest.fixture(params=["sqlite", "postgresql"])
def vanishing_site(request, make_site, monkeypatch):
    monkeypatch.setattr(limits, "ACTIONS_PER_MINUTE", 100000)
    return make_site(request.param, ACCOUNT_LINKING="separate", REFUSALS_PER_MINUTE="100000")


def tells(page: Page, kind: str) -> bool:
    title, code = GONE[kind]
    if "json" in page.headers["Content-Type"]:
        return bool(page.response.json()["code"] == code)
    return page.alert == title


@pytest.mark.parametrize("kind", list(GONE))
def test_every_act_of_somebody_who_is_gone_says_so_and_changes_nothing(
    vanishing_site, monkeypatch, kind
):
    site = vanishing_site
    rival = Rival(site, monkeypatch)
    who, merging = Person(site.browser(), site), site.browser()
    if kind == "merged":
        merging.sign_in("facebook", "grace")
    merging_user = merging.user_id
    world = World(site)
    for name, prepare in ACTS.items():
        for moment in range(MOMENTS[kind]):
            world.bring_back()
            who.return_in(site.browser())
            act = prepare(who)
            rival.arm(rival_of(kind, who, merging_user), moment)
            page = act()
            if "failed=" in page.location:
                page = who.browser.fetch(page.location)
            rival.disarm()
            if not rival.fired:
                assert moment, f"{name}: {page}"
                break
            check(name, page, who, kind, moment)


def check(name: str, page: Page, who: Person, kind: str, moment: int) -> None:
    site = who.site
    case = f"{name}, {kind} at {moment}: {page.status} {page.text[:300]}"
    assert page.status < 500, case
    is_there = bool(site.rows("SELECT 1 FROM users WHERE id = :id", id=who.user_id))
    assert is_there == (kind in ("signed out", "disabled")), case
    if page.status == 401:
        assert tells(page, kind), case
        assert "session" in page.headers.get("Set-Cookie", "")
        assert who.browser.me() is None, case
        names = site.rows("SELECT name FROM users WHERE id = :id", id=who.user_id)
        assert names in ([], [("Ada Lovelace",)]), case
    elif moment == 0:
        assert name in SATISFIED, case
