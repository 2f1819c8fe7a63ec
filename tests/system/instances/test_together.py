"""Two instances are one site: what one began the other ends, what one ends is over on the other."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from simulator import environment
from tests.accounts.test_races import at_once
from tests.inbox.senders import signed_request
from tests.processes import until
from tests.system.instances.cluster import Cluster, send_to, served_by
from tests.views.sign_in.test_confirm import prove

REFUSED = "/login/github/authorized?state=x"


def test_requests_go_to_both_in_turn(cluster: Cluster):
    browser = cluster.browser()
    assert len({served_by(browser.fetch("/login")) for _ in range(4)}) == 2


def test_a_flow_begun_on_one_ends_on_the_other(cluster: Cluster):
    browser = cluster.browser(0)
    callback = browser.choose(browser.begin("google"), "ada")
    send_to(browser, 1)
    assert browser.get(callback).path == "/account"
    assert send_to(browser, 0).me()
    callback = browser.choose(browser.begin_link("github"), "ada")
    send_to(browser, 1)
    assert browser.get(callback).path == "/account"
    assert browser.providers() == ["github", "google"]
    assert send_to(browser, 0).get(callback).status == 400, "used up, whoever is asked"


def test_a_question_put_by_one_is_answered_on_the_other(cluster: Cluster):
    cluster.browser().sign_in("google", "ada")
    browser = cluster.browser(0)
    page = browser.sign_in("github", "ada")
    assert page.path == "/login/confirm"
    send_to(browser, 1)
    page = prove(browser, page, "google", "ada")
    send_to(browser, 0)
    assert browser.answer(page, "connect").path == "/account"
    assert send_to(browser, 1).providers() == ["github", "google"]


def test_a_session_that_one_revoked_is_dead_on_the_other_at_once(cluster: Cluster):
    here, there = cluster.browser(0), cluster.browser(1)
    here.sign_in("google", "ada")
    there.sign_in("google", "ada")
    assert there.me()
    here.post("/account/sessions/end-others")
    assert there.me() is None
    assert here.me()
    cookie = here.cookie("session")
    here.sign_out()
    there.http.cookies.set("session", cookie, domain="localhost.local", path="/")
    assert there.me() is None


def test_fifty_first_sign_ins_over_both_make_one_account(cluster: Cluster):
    browsers = [cluster.browser() for _ in range(50)]
    with ThreadPoolExecutor(10) as pool:
        callbacks = list(
            pool.map(lambda each: each.choose(each.begin("google"), "grace"), browsers)
        )
    pages = at_once(
        [partial(b.get, callback) for b, callback in zip(browsers, callbacks, strict=True)]
    )
    assert {(page.status, page.path) for page in pages} == {(200, "/account")}
    assert cluster.rows("SELECT count(*) FROM users") == [(1,)]
    assert cluster.rows("SELECT count(*) FROM oauth") == [(1,)]
    assert cluster.rows("SELECT count(*) FROM sessions") == [(50,)]


def test_fifty_copies_of_a_report_over_both_act_once(cluster: Cluster):
    cluster.browser().sign_in("facebook", "ada")
    (subject,) = cluster.rows("SELECT subject FROM oauth")[0]
    payload = {"algorithm": "HMAC-SHA256", "issued_at": int(time.time()), "user_id": subject}
    secret = environment("http://x", "facebook")["FACEBOOK_CLIENT_SECRET"]
    form = {"signed_request": signed_request(secret, payload)}

    def send(number: int) -> tuple[int, str]:
        page = cluster.browser(number % 2).fetch("/inbox/facebook/deauthorize", "POST", data=form)
        return page.status, page.html

    answers = at_once([partial(send, number) for number in range(50)])
    assert set(answers) == {(200, "")}
    assert cluster.rows("SELECT effect FROM receipts") == [("ended_grant",)]
    assert cluster.rows("SELECT count(*) FROM events WHERE kind = 'provider_notice'") == [(1,)]


def test_limits_count_over_both_and_each_alone_while_redis_is_away(cluster: Cluster):
    mallory = cluster.browser(person="192.0.2.66")
    mallory.begin("github")
    statuses = [mallory.fetch(REFUSED).status for _ in range(8)]
    assert statuses == [303] * 6 + [429] * 2
    assert cluster.browser(person="192.0.2.67").sign_in("google", "ada").path == "/account"
    cluster.redis.kill()
    try:
        told = cluster.log().count("limits_not_shared")
        with ThreadPoolExecutor(4) as pool:
            pages = list(
                pool.map(lambda _: cluster.browser().sign_in("google", "grace"), range(12))
            )
        assert {page.path for page in pages} == {"/account"}
        assert cluster.log().count("limits_not_shared") == told + 2, "once for each instance"
        assert mallory.begin("github"), "each begins to count anew"
        assert 429 in [mallory.fetch(REFUSED).status for _ in range(14)]
    finally:
        cluster.redis.start()

    def counts_together() -> bool:
        for instance in (0, 1):
            cluster.browser(instance).fetch("/login/google")
        return cluster.log().count("limits_shared_again") >= 2

    until(counts_together, "Redis was not found again")
