"""Instances are replaced, keys changed and workers killed while people sign in."""

import os
import signal

from tests.browser import Browser
from tests.site import SECRET_KEY
from tests.system.instances.cluster import Cluster, send_to
from tests.system.load import CROWD, Load

NEW_KEY = "another secret key for tests only and long enough"


def test_a_rolling_restart_loses_no_sign_in(cluster: Cluster, crowd):
    load = Load(cluster, crowd)
    before = cluster.browser()
    before.sign_in("google", "ada")
    with load.going_on():
        for instance in cluster.instances:
            instance.end()
            load.more()
            instance.start()
            instance.wait()
            load.more()
    assert load.lost == []
    load.check()
    assert before.me()


def begun(cluster: Cluster, instance: int) -> tuple[Browser, str]:
    """Somebody who is at the provider, and the callback that they will come with."""
    browser = cluster.browser(instance)
    return browser, browser.choose(browser.begin("github"), "linus")


def test_keys_change_without_a_stop(cluster: Cluster, crowd):
    """The new key is first made known everywhere, and used by all after that: in between, one
    instance seals what the other has to open (docs/operate/scaling.md)."""
    load = Load(cluster, crowd)
    person = cluster.browser()
    person.sign_in("google", "ada")
    form = person.get("/account")
    at_provider = [begun(cluster, 0)]
    try:
        with load.going_on():
            for keys in ((SECRET_KEY, NEW_KEY), (NEW_KEY, SECRET_KEY)):
                cluster.keys(*keys)
                for number, instance in enumerate(cluster.instances):
                    instance.reload()
                    at_provider.append(begun(cluster, number))
        assert load.lost == []
        load.check()
        for number, (browser, callback) in enumerate(at_provider):
            send_to(browser, number % 2)
            assert browser.get(callback).path == "/account"
        assert person.me()
        assert person.post("/account/profile", form, name="Countess").status == 200
        assert (person.me() or {})["name"] == "Countess"
        # Then the old one is taken away; what was begun since does without it.
        late, callback = begun(cluster, 0)
        cluster.keys(NEW_KEY)
        for instance in cluster.instances:
            instance.reload()
        assert send_to(late, 1).get(callback).path == "/account"
        assert person.me()
    finally:
        cluster.keys(SECRET_KEY, NEW_KEY)
        for instance in cluster.instances:
            instance.reload()


def test_a_worker_that_is_killed_loses_no_account_that_anybody_was_told_of(cluster: Cluster, crowd):
    load = Load(cluster, crowd)
    with load.going_on():
        for instance in cluster.instances:
            killed = instance.workers()
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            instance.wait()
            load.lost.clear()  # those who were under way are told to try again
            load.more()
    load.check()
    assert all(cluster.browser().sign_in("google", name).status == 200 for name in CROWD[:4])
