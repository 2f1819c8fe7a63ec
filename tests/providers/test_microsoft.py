"""Microsoft: many tenants behind one host, and none may speak for another."""

import pytest
import requests

import config
from errors import ProviderError, SettingsError
from providers import PROVIDERS
from providers.microsoft import MICROSOFT
from simulator.microsoft import PERSONAL, TENANTS
from tests.site import Site, Sites

NAVY, EVIL = TENANTS["navy.example"], TENANTS["evil.example"]


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(look_alikes=("microsoft", "google"))


def narrowed(site: Site, tenant: str) -> None:
    """Restart the site for users of this tenant only."""
    site.restart(MICROSOFT_ISSUER=f"{site.simulator.url}/microsoft/{tenant}/v2.0")


def test_users_of_every_microsoft_tenant_sign_in_and_stay_distinct(site):
    for person in ("grace", "mallory", "linus"):
        assert site.browser().sign_in("microsoft", person).path in ("/account", "/login/confirm")
    rows = site.rows("SELECT subject, issuer FROM oauth")
    tenants = {row.subject.partition("|")[0] for row in rows}
    assert tenants == {NAVY, EVIL, PERSONAL}
    assert {row.issuer for row in rows} == {site.simulator.url}


def test_restricting_the_tenant_keeps_microsoft_users_the_same(site):
    """An operator may restrict the site to one tenant, and its users keep their accounts."""
    site.browser().sign_in("microsoft", "grace")
    for tenant in ("organizations", NAVY):
        narrowed(site, tenant)
        assert site.browser().sign_in("microsoft", "grace").path == "/account"
    assert site.user_count() == 1
    assert len(site.rows("SELECT id FROM oauth")) == 1


@pytest.mark.parametrize("person", ["mallory", "linus"])
def test_a_token_of_another_microsoft_tenant_is_refused(site, person, capfd):
    """All tenants sign with the same keys; only iss and tid distinguish them."""
    narrowed(site, NAVY)
    browser = site.browser()
    page = browser.sign_in("microsoft", person, behave="tenant:other")
    assert page.status == 502
    assert "iss is another issuer" in capfd.readouterr().err
    assert site.user_count() == 0


def test_a_tenants_issuer_admits_users_of_that_tenant_only(site):
    narrowed(site, NAVY)
    url = site.browser().begin("microsoft")
    answer = requests.post(url, data={"person": "mallory"}, timeout=5)
    assert answer.status_code == 400
    assert "AADSTS50020" in answer.text


@pytest.mark.parametrize("tenant", ["common", "organizations"])
def test_a_microsoft_tenant_that_claims_to_be_another_is_refused(site, tenant, capfd):
    """tid is compared with iss; otherwise an administrator could impersonate any account."""
    narrowed(site, tenant)
    page = site.browser().sign_in("microsoft", "mallory", behave="tenant:claims_another")
    assert page.status == 502
    assert "iss is another issuer" in capfd.readouterr().err
    assert site.user_count() == 0


def test_a_tenant_that_claims_to_be_the_only_allowed_one_is_refused(site, capfd):
    narrowed(site, EVIL)
    page = site.browser().sign_in("microsoft", "mallory", behave="tenant:claims_another")
    assert page.status == 502
    assert "not an id" in capfd.readouterr().err
    assert site.user_count() == 0


def test_an_address_set_by_a_tenants_administrator_joins_no_account(site):
    """nOAuth: Mallory, as administrator of her tenant, gives herself the address ada@gmail.com."""
    site.restart(ACCOUNT_LINKING="auto")
    ada, mallory = site.browser(), site.browser()
    ada.sign_in("google", "ada")
    page = mallory.sign_in("microsoft", "mallory")
    assert page.path == "/account"
    assert mallory.user_id != ada.user_id
    assert mallory.providers() == ["microsoft"]
    assert ada.providers() == ["google"]


def test_an_address_of_a_domain_verified_by_the_tenant_is_trusted(site):
    site.restart(ACCOUNT_LINKING="auto")
    site.browser().sign_in("google", "grace")
    grace = site.browser()
    assert grace.sign_in("microsoft", "grace").path == "/account"
    assert grace.providers() == ["google", "microsoft"]


def claims(**changes: object) -> dict[str, object]:
    issuer = f"https://login.microsoftonline.com/{NAVY}/v2.0"
    return {"iss": issuer, "tid": NAVY, "oid": "o-1", "sub": "s-1", "name": "Grace", **changes}


@pytest.mark.parametrize("flag", [True, "true", 1, "1"])
def test_microsofts_verified_domain_flag_is_read_in_every_form(flag):
    said = {"id_token": claims(email="grace@navy.example", xms_edov=flag)}
    assert MICROSOFT.profile(said.__getitem__).email_trusted


@pytest.mark.parametrize("flag", [False, None, 0, "0", "false", "", [], {}, "True", 2, "yes"])
def test_any_other_value_of_microsofts_verified_domain_flag_is_false(flag):
    said = {"id_token": claims(email="grace@navy.example", xms_edov=flag, email_verified=True)}
    profile = MICROSOFT.profile(said.__getitem__)
    assert profile.email == "grace@navy.example"
    assert not profile.email_verified


@pytest.mark.parametrize("name", ["tid", "oid", "iss"])
@pytest.mark.parametrize("odd", [None, "", 5, True, [NAVY], {"a": 1}])
def test_a_microsoft_token_without_tenant_or_object_id_is_refused(name, odd):
    """sub is no substitute: it differs from application to application."""
    with pytest.raises(ProviderError):
        MICROSOFT.profile({"id_token": claims(**{name: odd})}.__getitem__)


CLIENT = {"MICROSOFT_CLIENT_ID": "id", "MICROSOFT_CLIENT_SECRET": "secret"}


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/organizations/v2.0",
        f"https://login.microsoftonline.com/{NAVY}/v2.0",
        f"https://login.microsoftonline.us/{NAVY}/v2.0",
        f"https://login.microsoftonline.com/{NAVY.upper()}/v2.0",
        f"https://login.microsoftonline.com/{NAVY}/v2.0/",
        "https://login.microsoftonline.com/consumers/v2.0",
    ],
)
def test_a_microsoft_tenant_is_configured_by_its_id(issuer):
    variables = {**CLIENT, "MICROSOFT_ISSUER": issuer}
    settings = config.load(PROVIDERS.values(), variables, None)
    assert settings.registrations["microsoft"].issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.microsoftonline.com/consumers",
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
        f"https://login.microsoftonline.com/{NAVY}",
        "https://login.microsoftonline.com/",
    ],
)
def test_an_invalid_microsoft_issuer_is_reported_at_start(issuer):
    with pytest.raises(SettingsError, match="MICROSOFT_ISSUER: must end in"):
        config.load(PROVIDERS.values(), {**CLIENT, "MICROSOFT_ISSUER": issuer}, None)


@pytest.mark.parametrize("tenant", ["consumers", PERSONAL, PERSONAL.upper()])
@pytest.mark.parametrize("end", ["", "/"])
def test_consumers_admits_personal_accounts_only_and_keeps_them_the_same(site, tenant, end):
    ada = site.browser()
    ada.sign_in("microsoft", "ada")
    site.restart(MICROSOFT_ISSUER=f"{site.simulator.url}/microsoft/{tenant}/v2.0{end}")
    again = site.browser()
    assert again.sign_in("microsoft", "ada").path == "/account"
    assert again.user_id == ada.user_id
    page = site.browser().sign_in("microsoft", "grace", behave="tenant:other")
    assert page.status == 502
