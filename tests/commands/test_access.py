"""``access``: why the rules let somebody in, or do not."""

from tests.accounts.membership import DOMAIN, ORG, Members
from tests.commands.console import answer, run


def test_explain_prints_each_rule_with_its_result_and_age(make_site):
    members = Members(make_site, ORG.replace("groups", 'roles = ["builder"]\ngroups') + DOMAIN)
    browser = members.signed_in("ada")
    told = answer(members.site, "access", "explain", str(browser.user_id))
    assert (told["is_in"], told["groups"], told["roles"]) == (True, ["engineers"], ["builder"])
    by_org, by_domain = told["identities"][0]["rules"]
    assert (by_org["rule"], by_org["standing"]) == ("github.org=acme", "met")
    assert by_org["checked_at"].endswith("Z")
    assert (by_domain["rule"], by_domain["standing"]) == ("domain=navy.example", "not_met")
    lines = run(members.site, "access", "explain", str(browser.user_id)).stdout
    assert "may come in    yes" in lines
    assert "  github.org=acme  met, checked 20" in lines
    assert "  domain=navy.example  not_met: another domain" in lines


def test_explain_names_the_denied_address_and_the_time_of_grace(make_site):
    members = Members(make_site)
    browser = members.signed_in("ada")
    members.github.answers["organisation"] = "status_503"
    members.recheck()
    lines = run(members.site, "access", "explain", str(browser.user_id)).stdout
    assert "github.org=acme  unknown, counts for now, checked" in lines
    assert "failing since" in lines
    members.site.restart(ACCESS_RULES=ORG + '[deny]\nemails = ["ada@gmail.com"]\n')
    told = answer(members.site, "access", "explain", str(browser.user_id))
    assert (told["is_in"], told["denied"]) == (False, "deny.emails=ada@gmail.com")


def test_check_asks_now_and_carries_out_what_follows(make_site):
    members = Members(make_site)
    browser = members.signed_in("ada")
    members.acme.members.clear()
    told = answer(members.site, "access", "check", str(browser.user_id))
    assert (told["is_in"], told["groups"]) == (False, [])
    assert told["identities"][0]["rules"][0]["standing"] == "not_met"
    assert browser.me() is None
    members.acme.members["ada"] = "active"
    assert answer(members.site, "access", "check", told["id"])["is_in"]


def test_without_rules_there_is_nothing_to_explain(site):
    browser = site.browser()
    browser.sign_in("google", "ada")
    result = run(site, "access", "explain", str(browser.user_id))
    assert result.exit_code == 1
    assert "There are no rules of access: ACCESS_FILE is not set." in result.stderr
