"""A person's access by the rules of ACCESS_FILE, on their page for administrators."""

from providers.criteria import Standing
from tests.accounts.membership import DOMAIN, ORG, Members
from tests.commands.console import answer
from tests.commands.test_users import id_of
from tests.views.admin.conftest import make_admin
from tests.views.admin.test_person import act
from web.text.standings import STANDINGS


def test_the_page_shows_each_rule_with_its_result_and_the_reason_of_each_group(make_site):
    members = Members(make_site, ORG + DOMAIN)
    ada, grace = members.signed_in("ada"), members.signed_in("grace")
    answer(members.site, "users", "admin", id_of(ada))
    path = f"/admin/people/{id_of(grace)}"
    text = act(ada, path, "groups", name="crew").text
    assert "Access May come in" in text
    assert "github.org=acme : met · checked" in text
    assert "crew Put in by hand" in text
    assert (
        "engineers By a rule. If you remove it, the next check of the rules gives it back" in text
    )
    members.github.answers["organisation"] = "status_503"
    members.recheck()
    text = ada.get(path).text
    assert "unknown, as the provider could not be asked, counts for now" in text
    assert "without an answer since" in text
    members.site.restart(ACCESS_RULES=ORG + '[deny]\nemails = ["grace@navy.example"]\n')
    text = ada.get(path).text
    assert "Access May not come in" in text
    assert "Kept out by deny.emails=grace@navy.example" in text


def test_without_rules_the_page_says_nothing_of_access(site):
    admin = make_admin(site)
    assert "May come in" not in admin.get(f"/admin/people/{id_of(admin)}").text


def test_every_standing_has_words():
    assert set(STANDINGS) == set(Standing)
