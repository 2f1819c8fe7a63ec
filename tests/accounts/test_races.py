"""Concurrent sign-ins through the running server: each browser ends as the person it chose. Stock
Flask-Dance fails here (docs/decisions/0001-flask-dance.md, rows 1 and 2). A stock blueprint in the
same interleaving shows that these tests would notice."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pytest
from flask import Flask, jsonify, request, session
from flask_dance.consumer import OAuth2ConsumerBlueprint, oauth_authorized
from werkzeug.serving import make_server

from simulator import Server
from simulator.people import PEOPLE
from simulator.protocol import LookAlike
from simulator.server import Quiet
from tests.browser import Browser, Page
from tests.site import Site

T = TypeVar("T")

THREADS = 16
# How many digits a subject has at each of the usual providers.
DIGITS = {"google": 21, "facebook": 17, "github": 8}
EVERYBODY = [(provider, person) for person in PEOPLE for provider in DIGITS]


def named(provider: str, person: str) -> tuple[str, str]:
    """The identity that a site stores: provider and subject."""
    return provider, PEOPLE[person].subject(provider, DIGITS[provider])


def who(browser: Browser) -> tuple[str, str] | None:
    """The identity of the account that a browser is signed in to; the account has only this one."""
    me = browser.me()
    if me is None:
        return None
    (identity,) = me["identities"]
    return identity["provider"], identity["subject"]


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run each in a thread of its own; all start together."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


# Row 1: one person's browser is signed in as another.


def test_concurrent_sign_ins_each_end_as_the_right_user(make_site):
    """FLASK-DANCE issues 163, 205, 430: three wrong accounts in 240 sign-ins."""
    site = make_site(ACCOUNT_LINKING="separate")
    choices = EVERYBODY * 4
    browsers = [site.browser() for _ in choices]

    def sign_in(browser: Browser, choice: tuple[str, str]) -> tuple[int, tuple[str, str] | None]:
        return browser.sign_in(*choice).status, who(browser)

    with ThreadPoolExecutor(THREADS) as pool:
        ends = list(pool.map(sign_in, browsers, choices))
    assert len(ends) >= 120
    assert ends == [(200, named(*choice)) for choice in choices]
    assert [who(browser) for browser in browsers] == [named(*choice) for choice in choices]
    assert site.user_count() == len(EVERYBODY)


class Turnstile:
    """Stops the first request of a person at one place of a fake provider, until it is opened."""

    def __init__(self, look_alike: LookAlike, where: str, person: str) -> None:
        self.arrived, self._open = threading.Event(), threading.Event()
        self._look_alike, self._where, self._person = look_alike, where, person

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "Turnstile":
        """Every request of a fake provider passes through its ``note``."""
        note = self._look_alike.note

        def stop_and_note(what: str) -> None:
            if what == self._where and not self.arrived.is_set() and self._is_theirs():
                self.arrived.set()
                assert self._open.wait(30)
            note(what)

        monkeypatch.setattr(self._look_alike, "note", stop_and_note)
        return self

    def _is_theirs(self) -> bool:
        code = self._look_alike.bearer() or self._look_alike.of_form(request.values)
        return code is not None and code.person.key == self._person

    def open(self) -> None:
        self._open.set()


@pytest.mark.parametrize(
    ("provider", "where"),
    [
        ("google", "token"),
        ("facebook", "token"),
        ("facebook", "me"),
        ("github", "token"),
        ("github", "user"),
        ("github", "emails"),
    ],
)
def test_a_callback_overtaken_by_another_still_signs_in_its_own_user(
    site, monkeypatch, provider, where
):
    grace, linus = site.browser(), site.browser()
    callback = grace.choose(grace.begin(provider), "grace")
    held = Turnstile(getattr(site.simulator, provider), where, "grace").install(monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(grace.get, callback)
        assert held.arrived.wait(30)
        assert linus.sign_in(provider, "linus").path == "/account"
        held.open()
        assert page.result(30).path == "/account"
    assert who(grace) == named(provider, "grace")
    assert who(linus) == named(provider, "linus")


def interleave(
    site: Any, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> tuple[Browser, Browser]:
    """Grace's callback waits at GitHub's ``first`` profile request while Linus's callback gets a
    token and goes on to the ``second``, where it waits until hers has made its second one."""
    grace, linus = Browser(site), Browser(site)
    callbacks = [
        browser.choose(browser.begin("github"), person)
        for browser, person in ((grace, "grace"), (linus, "linus"))
    ]
    hers = Turnstile(site.simulator.github, first, "grace").install(monkeypatch)
    his = Turnstile(site.simulator.github, second, "linus").install(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        her_page = pool.submit(grace.get, callbacks[0])
        assert hers.arrived.wait(30)
        his_page = pool.submit(linus.get, callbacks[1])
        assert his.arrived.wait(30)
        hers.open()
        her_page.result(30)
        his.open()
        his_page.result(30)
    return grace, linus


def test_two_interleaved_callbacks_sign_in_two_users(site, monkeypatch):
    """Row 1, step by step. With the stock design, Linus's token answers for Grace."""
    grace, linus = interleave(site, monkeypatch, "user", "emails")
    assert who(grace) == named("github", "grace")
    assert who(linus) == named("github", "linus")
    emails = [(browser.me() or {})["email"] for browser in (grace, linus)]
    assert emails == ["grace@navy.example", "linus@chemistry.example"]


class StockSite:
    """A site as Flask-Dance's documentation describes it, with the same fake GitHub."""

    def __init__(self, make_look_alikes: Callable[..., Server]) -> None:
        app = Flask(__name__)
        app.secret_key = "a secret key for tests only and long enough"
        self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        self.url = f"http://localhost:{self._server.server_port}"
        self.simulator = make_look_alikes(public_url=self.url)
        self.blueprint = OAuth2ConsumerBlueprint(
            "github",
            __name__,
            scope="user:email",
            **self.simulator.github.flask_dance(),
            redirect_url="/api/v1/me",
        )
        app.register_blueprint(self.blueprint, url_prefix="/login")
        app.add_url_rule("/api/v1/me", view_func=lambda: jsonify(session.get("me")))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def sign_in(self, _blueprint: Any, **_token: Any) -> bool:
        """The receiver of ``oauth_authorized``."""
        emails = self.blueprint.session.get("user/emails").json()
        subject = str(self.blueprint.session.get("user").json()["id"])
        identity = {"provider": "github", "subject": subject}
        session["me"] = {"identities": [identity], "email": emails[-1]["email"]}
        return False

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stock_site(plain_http: None, make_look_alikes: Callable[..., Server]) -> Iterator[StockSite]:
    stock = StockSite(make_look_alikes)
    with oauth_authorized.connected_to(stock.sign_in, sender=stock.blueprint):
        yield stock
    stock.stop()


def test_stock_flask_dance_signs_in_sequential_users_correctly(stock_site):
    browser = Browser(stock_site)
    browser.sign_in("github", "grace")
    assert who(browser) == named("github", "grace")


def test_stock_flask_dance_confuses_two_interleaved_users(stock_site, monkeypatch):
    """Shows that the tests above can fail: Grace's browser is signed in to Linus's account."""
    grace, linus = interleave(stock_site, monkeypatch, "emails", "user")
    assert who(grace) == who(linus) == named("github", "linus")


# Row 2: PKCE.


def test_every_flow_has_its_own_code_verifier(site):
    """Stock: 62 of 120 sign-ins work; the others are refused because of another flow's verifier."""
    people = list(PEOPLE) * 6
    browsers = [site.browser() for _ in people]
    with ThreadPoolExecutor(THREADS) as pool:
        pages: list[Page] = list(
            pool.map(lambda browser, person: browser.sign_in("github", person), browsers, people)
        )
    assert len(pages) == 60
    # Mallory claims Ada's address, so the second of the two gets a question; that is not a failure.
    assert {page.path for page in pages} <= {"/account", "/login/confirm"}
    codes = site.simulator.github.codes.values()
    assert all(code.used for code in codes)
    assert len({code.challenge for code in codes} - {None}) == 60


# First sign-ins.


def ready(site: Site, count: int, provider: str, person: str) -> list[tuple[Browser, str]]:
    """Browsers that returned from the provider, with their callbacks not yet loaded."""

    def prepare(_number: int) -> tuple[Browser, str]:
        browser = site.browser()
        return browser, browser.choose(browser.begin(provider), person)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(prepare, range(count)))


@pytest.mark.parametrize("provider", DIGITS)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_fifty_concurrent_first_sign_ins_create_one_account(make_site, database, provider):
    site = make_site(database)
    at_door = ready(site, 50, provider, "grace")
    pages = at_once([partial(browser.get, callback) for browser, callback in at_door])
    assert {(page.status, page.path) for page in pages} == {(200, "/account")}
    assert {who(browser) for browser, _callback in at_door} == {named(provider, "grace")}
    assert len({browser.user_id for browser, _callback in at_door}) == 1
    assert site.user_count() == 1
    assert site.rows("SELECT count(*) FROM oauth")[0][0] == 1
    assert site.rows("SELECT count(*) FROM sessions")[0][0] == 50


# Replays.


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_callback_loaded_twice_concurrently_works_once(make_site, database):
    """The flow is claimed before the token request, so the loser never reaches the provider."""
    site = make_site(database)
    for number in range(10):
        browser, twin = site.browser(), site.browser()
        callback = browser.choose(browser.begin("github"), "grace")
        twin.http.cookies.update(browser.http.cookies)
        pages = at_once([partial(each.fetch, callback) for each in (browser, twin)])
        assert sorted(page.status for page in pages) == [302, 303]
        refused = next(page for page in pages if page.status == 303)
        alert = site.browser().get(refused.headers["Location"]).alert
        assert alert == "We couldn't match that sign-in"
        assert {who(browser), who(twin)} == {None, named("github", "grace")}
        assert site.simulator.github.seen.count("token") == number + 1
