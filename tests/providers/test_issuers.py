"""The other OpenID Connect providers over HTTP: their peculiarities, and flawed id_tokens."""

import json
from typing import Any

import pytest
import requests

from providers import PROVIDERS
from providers.parts import OpenIDConnect
from simulator import signing
from simulator.catalogue import LOOK_ALIKES
from simulator.openid import OpenIDLookAlike
from tests.browser import query_of
from tests.site import ALL, Site, Sites

WITH_ISSUER = [
    name for name, provider in PROVIDERS.items() if isinstance(provider.protocol, OpenIDConnect)
]
# One of each kind; protocols/ tries all of them with Google.
FLAWS = ["other_issuer", "other_audience", "expired", "other_nonce", "no_nonce", "no_sub"]
FLAWS += [
    "other_at_hash",
    "alg_none",
    "hs256_with_public_key",
    "other_key_same_kid",
    "embedded_key",
]
FLAWS += ["unknown_kid", "jku", "not_a_jwt", "missing"]


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(look_alikes=ALL)


def row_of(site: Site) -> Any:
    (row,) = site.rows("SELECT * FROM oauth")
    return row


def test_every_issuer_has_a_fake_provider_with_all_flaws():
    by_name = {each.name: each for each in LOOK_ALIKES}
    assert all(issubclass(by_name[name], OpenIDLookAlike) for name in WITH_ISSUER)
    assert set(FLAWS) <= {*signing.SPOILT_CLAIMS, *signing.SPOILT_TOKENS}


@pytest.mark.parametrize("name", WITH_ISSUER)
def test_a_flawed_id_token_of_any_issuer_is_refused(site, name):
    for flaw in FLAWS:
        browser = site.browser()
        page = browser.sign_in(name, "linus", behave=f"id_token:{flaw}")
        assert page.status == 502, flaw
        assert browser.me() is None, flaw
    assert site.user_count() == 0
    assert site.browser().sign_in(name, "linus").path == "/account"


# Google Workspace.


def test_google_can_be_restricted_to_one_workspace_domain(make_site):
    site = make_site(look_alikes=("google",), GOOGLE_HOSTED_DOMAIN="Navy.example")
    browser = site.browser()
    assert query_of(browser.begin("google"))["hd"] == "navy.example"
    assert browser.sign_in("google", "grace").path == "/account"


HD = '[[allow]]\ngoogle.hd = "navy.example"\n'


def test_google_offers_the_accounts_of_the_one_domain_that_may_come_in(make_site):
    site = make_site(look_alikes=("google", "github"), ACCESS_RULES=HD)
    browser = site.browser()
    assert query_of(browser.begin("google"))["hd"] == "navy.example"
    # A browser can take it away: the claim decides.
    url = browser.begin("google").replace("hd=", "other=")
    assert browser.get(browser.choose(url, "linus")).alert == "This account can't sign in here"
    # Another account is meant now, so all are offered.
    assert "hd" not in query_of(browser.begin("google"))
    browser.sign_in("google", "grace")
    assert "hd" not in query_of(browser.begin_link("google"))
    others = '[[allow]]\ndomain = "chemistry.example"\n'
    site.restart(ACCESS_RULES=HD + others)
    assert "hd" not in query_of(site.browser().begin("google"))


@pytest.mark.parametrize("person", ["ada", "linus", "noa"])
def test_a_google_account_without_the_workspace_domain_is_refused(make_site, person):
    """The parameter is a hint that a user can remove; the claim decides."""
    site = make_site(look_alikes=("google",), GOOGLE_HOSTED_DOMAIN="navy.example")
    page = site.browser().sign_in("google", person)
    assert page.status == 403
    assert page.alert == "This account can't sign in here"
    assert site.user_count() == 0


def test_a_google_account_of_another_workspace_domain_is_refused(make_site):
    site = make_site(look_alikes=("google",), GOOGLE_HOSTED_DOMAIN="army.example")
    page = site.browser().sign_in("google", "grace")
    assert (page.status, page.alert) == (403, "This account can't sign in here")
    assert "grace@navy.example isn't on the list for this site." in page.text


# GitLab.


def test_an_address_from_a_self_hosted_gitlab_is_not_trusted(site):
    """Its administrator may have disabled the confirmation of addresses."""
    site.browser().sign_in("gitlab", "ada")
    row = row_of(site)
    assert (row.email, row.email_verified) == ("ada@gmail.com", 0)
    assert row.issuer == f"{site.simulator.url}/gitlab"


# LinkedIn.


def test_linkedin_is_asked_without_a_code_challenge(site):
    query = query_of(site.browser().begin("linkedin"))
    assert "code_challenge" not in query
    assert "nonce" not in query


def test_linkedin_refuses_a_code_verifier_as_the_real_one_does(site):
    linkedin = site.simulator.linkedin
    data = {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43}
    data |= {"client_id": linkedin.client.client_id, "client_secret": linkedin.client.client_secret}
    answer = requests.post(linkedin.url + linkedin.token_path, data=data, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_linkedins_scopes_are_stored_as_requested(site):
    site.browser().sign_in("linkedin", "linus")
    assert row_of(site).scopes == "email openid profile"


@pytest.mark.parametrize("error", ["user_cancelled_login", "user_cancelled_authorize"])
def test_linkedins_two_codes_for_cancelling_are_understood(site, error):
    browser = site.browser()
    state = query_of(browser.begin("linkedin"))["state"]
    page = browser.get(f"/login/linkedin/authorized?error={error}&state={state}")
    assert page.alert == "Sign-in wasn't completed"


def test_a_missing_verified_flag_of_linkedin_is_false(site):
    site.browser().sign_in("linkedin", "uma")
    assert row_of(site).email_verified == 0


# Slack, Yahoo, Twitch, Kakao, Salesforce, ORCID.


def test_slack_users_are_distinguished_by_workspace(site):
    site.browser().sign_in("slack", "grace")
    team, _, user = row_of(site).subject.partition("_")
    assert team.startswith("T")
    assert user.startswith("U")


@pytest.mark.parametrize("name", ["slack", "salesforce"])
@pytest.mark.parametrize("behave", ["userinfo:other_sub", "profile:status_500", "profile:html"])
def test_a_provider_whose_ids_are_in_userinfo_needs_userinfo(site, name, behave):
    page = site.browser().sign_in(name, "grace", behave=behave)
    assert page.status == 502
    assert site.user_count() == 0
    assert site.browser().sign_in(name, "grace").path == "/account"


def test_a_slack_error_with_status_200_is_understood(site):
    """Every response of its API is a 200 that says ok or not."""
    slack = site.simulator.slack
    answer = requests.post(slack.url + slack.token_path, data={"code": "x"}, timeout=5)
    assert (answer.status_code, answer.json()["ok"]) == (200, False)


def test_yahoo_gets_the_client_secret_in_a_header(site):
    site.browser().sign_in("yahoo", "ada")
    row = row_of(site)
    assert (row.email, row.email_verified) == ("ada@gmail.com", 1)
    assert json.loads(row.profile)["username"] == "ada"


def test_twitch_is_asked_for_its_optional_claims(site):
    browser = site.browser()
    claims = json.loads(query_of(browser.begin("twitch"))["claims"])
    assert set(claims["userinfo"]) == {"email", "email_verified", "picture", "preferred_username"}
    browser.sign_in("twitch", "ada")
    row = row_of(site)
    assert (row.email, row.email_verified) == ("ada@gmail.com", 1)
    assert row.scopes == "openid user:read:email"


def test_kakaos_recycled_address_is_not_verified(site):
    """Somebody else may have it by now."""
    site.browser().sign_in("kakao", "ada", behave="email:recycled")
    row = row_of(site)
    assert (row.email, row.email_verified) == ("ada@gmail.com", 0)
    site.browser().sign_in("kakao", "ada")
    assert row_of(site).email_verified == 1


def test_an_address_from_a_salesforce_organisation_is_not_trusted(site):
    site.browser().sign_in("salesforce", "ada")
    row = row_of(site)
    assert row.subject.startswith("00Dxx0000001gPLEAY/005")
    assert (row.email, row.email_verified) == ("ada@gmail.com", 0)


def test_orcid_gives_a_number_and_a_name(site):
    browser = site.browser()
    browser.sign_in("orcid", "ada")
    row = row_of(site)
    assert row.email is None
    assert row.subject.count("-") == 3
    assert json.loads(row.profile)["name"] == "Ada Lovelace"


def test_a_subject_made_of_two_claims_survives_a_profile_refresh(make_site):
    """Slack's subject is workspace and user; the stored token's response is matched by sub."""
    site = make_site(look_alikes=("slack",))
    browser = site.browser()
    browser.sign_in("slack", "grace")
    page = browser.post(f"/account/identities/{browser.identity('slack')}/refresh")
    assert page.message == "Read again from Slack."
