"""A server whose clock is put forward or back: nobody is let in or locked out by that alone."""

from pathlib import Path

import pytest

from tests.system.faults.served import Served

HOUR, DAY = 3600, 86400


@pytest.fixture
def moved(serve, tmp_path) -> tuple[Served, Path]:
    """A site, and the file that says by how many seconds it is ahead. It has one process: only
    there does a step back meet what was counted before it."""
    clock = tmp_path / "ahead"
    clock.write_text("0")
    return (
        serve(
            app="tests.system.faults.late:application",
            flags=("-w", "1", "--threads", "8"),
            TEST_CLOCK_FILE=str(clock),
            REFUSALS_PER_MINUTE="3",
        ),
        clock,
    )


def test_a_clock_that_goes_wrong_and_is_put_right(moved):
    served, clock = moved
    ada = served.signed_in("google", "ada")
    under_way = served.callback("github", "linus")
    too_late = served.callback("github", "leila")
    assert ada.post("/account/unlink/x").path != "/account/reauth"

    # An hour ahead: what had ten minutes is over, what has days is not; the way on is there.
    clock.write_text(str(HOUR))
    page = too_late()
    assert (page.status, page.alert) == (400, "That sign-in took too long")
    assert ada.get("/account").status == 200
    assert ada.post("/account/unlink/x").path == "/account/reauth"  # proved too long ago
    grace = served.browser()
    page = grace.sign_in("facebook", "grace")
    assert page.path == "/account", page
    # Somebody's address is locked out, by that clock.
    grace.begin("github")
    for _ in range(2):  # with the one above, three
        assert grace.get("/login/google/authorized?state=x").status == 400
    page = grace.get("/login/google/authorized?state=x")
    assert (page.status, page.alert) == (429, "Too many attempts")
    assert 0 < int(page.headers["Retry-After"]) <= 61

    # Put right: who was in is in, what was under way ends, nobody is locked out for an hour.
    clock.write_text("0")
    assert ada.get("/account").status == 200
    assert grace.get("/account").status == 200
    assert under_way().path == "/account"
    # And a proof that lies ahead proves nothing.
    assert grace.post("/account/unlink/x").path == "/account/reauth"

    # Two days ahead: the providers' tokens are over, says the log; nobody is let in by that.
    clock.write_text(str(2 * DAY))
    newcomer = served.browser()
    page = newcomer.sign_in("google", "wolfe")
    assert (page.status, page.alert) == (502, "Google couldn't complete the sign-in")
    assert newcomer.me() is None
    assert any("it has expired" in str(line["detail"]) for line in served.lines("refused"))
    assert ada.get("/account").status == 200

    # Two days back: they are from the future.
    clock.write_text(str(-2 * DAY))
    page = newcomer.sign_in("google", "wolfe")
    assert (page.status, page.alert) == (502, "Google couldn't complete the sign-in")
    assert any("it is from the future" in str(line["detail"]) for line in served.lines("refused"))
    assert ada.get("/account").status == 200
    assert newcomer.me() is None

    clock.write_text("0")
    assert newcomer.sign_in("google", "wolfe").path == "/account"
    assert ada.get("/account").status == 200
    served.assert_whole()
    served.assert_no_bug()
