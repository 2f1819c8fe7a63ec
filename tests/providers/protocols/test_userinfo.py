"""Userinfo adds what the id_token lacks, and only for the same subject."""

import pytest

from tests.providers.protocols.id_tokens import SOME_ODD_ANSWERS


def test_userinfo_gives_the_name_that_the_id_token_lacks(browser, site):
    site.simulator.google.userinfo_name = "From userinfo"
    browser.sign_in("google", "anon")
    assert browser.me()["name"] == "From userinfo"
    assert site.simulator.google.seen.count("userinfo") == 1


def test_userinfo_of_another_sub_is_never_used(browser, site):
    """OpenID Connect Core 5.3.2; allauth does not compare sub."""
    site.simulator.google.userinfo_name = "From userinfo"
    page = browser.sign_in("google", "anon", behave="userinfo:other_sub")
    assert (page.status, page.alert) == (502, "Google couldn't complete the sign-in")
    assert site.user_count() == 0
    browser.sign_in("google", "anon")
    assert browser.sign_in("google", "anon", behave="userinfo:other_sub").path == "/account"
    assert site.rows("SELECT count(*) FROM oauth")[0][0] == 1


@pytest.mark.parametrize("answer", SOME_ODD_ANSWERS)
def test_odd_userinfo_does_not_fail_the_sign_in_of_a_known_person(browser, site, answer):
    site.simulator.google.userinfo_name = "From userinfo"
    assert browser.sign_in("google", "anon", behave=f"profile:{answer}").status == 502
    browser.sign_in("google", "anon")
    before = site.rows("SELECT profile FROM oauth")
    assert browser.sign_in("google", "anon", behave=f"profile:{answer}").path == "/account"
    assert site.rows("SELECT profile FROM oauth") == before


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_issuer_without_userinfo_signs_users_in(browser, site, nothing):
    site.simulator.google.metadata_changes = {"userinfo_endpoint": nothing}
    assert browser.sign_in("google", "anon").path == "/account"
    assert "userinfo" not in site.simulator.google.seen
