"""People are found by id, identity and address exactly, and by a part of their name."""

import pytest

from tests.commands.test_users import email_of, id_of, sign_in, subject_of
from tests.views.admin.conftest import make_admin

NAMES = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "linus": "Linus Pauling"}


def found(admin, text: str = "", **query: str) -> set[str]:
    """The names on the page of a search."""
    page = admin.get("/admin/people", params={"q": text, **query})
    assert page.status == 200
    return {name for name in NAMES.values() if f"<bdi>{name}</bdi>" in page.html}


def test_people_are_found_by_what_identifies_them_and_by_name(both):
    admin = make_admin(both)
    grace, _linus = sign_in(both, "grace"), sign_in(both, "linus")
    assert found(admin) == set(NAMES.values())
    email = email_of(grace)
    for text in (id_of(grace), subject_of(grace), email, email.upper(), f" {email} "):
        assert found(admin, text) == {NAMES["grace"]}, text
    for text in ("Grace", "hopper", "ho gra"):
        assert found(admin, text) == {NAMES["grace"]}, text
    # A part of an address finds nobody: who has an address is asked with the whole of it.
    local, _, domain = email.partition("@")
    for text in (f"@{domain}", f"{local}@", email[1:]):
        assert found(admin, text) == set(), text


def test_everybody_with_an_address_is_found(site):
    admin = make_admin(site)
    grace, linus = sign_in(site, "grace"), sign_in(site, "linus")
    email = email_of(grace)
    site.execute(
        "UPDATE oauth SET email = :e, email_key = :e, email_verified = false WHERE user_id = :u",
        e=email,
        u=id_of(linus),
    )
    assert found(admin, email) == {NAMES["grace"], NAMES["linus"]}


@pytest.mark.parametrize(
    "text", ["%", "_", "'", '"', "\\", "' OR 1=1 --", "x" * 10_000, "\x00", "é\u202e", "a:b:c", "@"]
)
def test_a_searched_text_is_taken_literally(both, text):
    admin = make_admin(both)
    sign_in(both, "grace")
    assert found(admin, text) == set()


def test_people_are_filtered_and_come_in_pages(site):
    admin = make_admin(site)
    grace = sign_in(site, "grace")
    site.execute("UPDATE users SET disabled_at = created_at WHERE id = :u", u=id_of(grace))
    assert found(admin, show="disabled") == {NAMES["grace"]}
    assert found(admin, show="admins") == {NAMES["ada"]}
    assert found(admin, show="nonsense") == {NAMES["ada"], NAMES["grace"]}
    for number in range(60):
        site.execute(
            "INSERT INTO users (id, name, created_at) VALUES (:id, :name, :at)",
            id=f"{number:032x}",
            name=f"Person {number:02}",
            at=f"2026-01-01 00:00:{number:02}.000000",
        )
    seen: list[str] = []
    page = admin.get("/admin/people?q=person")
    while True:
        seen += [line for line in page.html.split("<bdi>") if line.startswith("Person")]
        older = [link for link in page.links() if "after=" in link]
        if not older:
            break
        page = admin.get(older[0])
    assert [line[:9] for line in seen] == [f"Person {number:02}" for number in range(59, -1, -1)]


def test_the_page_is_empty_but_not_broken_without_a_match(site):
    admin = make_admin(site)
    page = admin.get("/admin/people?q=nobody-at-all&after=nonsense")
    assert "Nobody was found." in page.text
