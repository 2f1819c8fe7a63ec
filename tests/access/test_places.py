"""The lasting ids of organisations that rules name."""

import pytest

from access.places import StoredPlaces
from providers.criteria import Condition

ACME, LABS = Condition("github", "org", "acme"), Condition("github", "team", "labs/core")


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request, make_site):
    return make_site(request.param)


def test_the_first_id_of_a_place_stays_on_every_instance(site):
    first, second = StoredPlaces([ACME, LABS]), StoredPlaces([ACME, LABS])
    assert site.inside(first.known, "github:acme") == ""
    site.inside(first.learn, "github:acme", "17")
    site.inside(second.learn, "github:acme", "99")
    assert site.inside(first.known, "github:acme") == "17"
    assert site.inside(second.known, "github:acme") == "17"
    assert site.inside(first.known, "github:labs") == ""


def test_a_place_is_forgotten_with_its_last_rule(site):
    site.inside(StoredPlaces([ACME]).learn, "github:acme", "17")
    assert site.inside(StoredPlaces([LABS]).known, "github:acme") == ""
    assert site.inside(StoredPlaces([ACME]).known, "github:acme") == ""
