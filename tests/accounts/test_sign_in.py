"""A sign-in on real databases: which account it opens, and what it writes."""

from dataclasses import replace

from accounts.decisions import Create, Join, Known, NeedsOwnership, NeedsSwitch, Refused
from accounts.rules import Policy
from providers.base import Assertion
from tests.accounts.desk import ASK, AUTO, assertion


def with_picture(who: Assertion, name: str) -> Assertion:
    return replace(who, profile=replace(who.profile, picture=f"https://pictures.example/{name}"))


# Identities.


def test_an_identity_opens_its_account_again(desk):
    first = desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    again = desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    assert first.user_id == again.user_id
    assert first.token != again.token
    assert [event[:2] for event in desk.events(first.user_id)] == [
        ("signed_in", "identity_known"),
        ("signed_in", "identity_unknown"),
    ]


# Each differs from another in a way that some comparison overlooks.
SUBJECTS = (
    *("abc", "ABC", "abc ", " abc", "abc\u200b", "ab", "ab%", "ab_"),
    *("k", "K", "\u212a", "i", "I", "\u0131", "\u0130", "ss", "\u00df"),
    *("\u00e9", "e\u0301", "1", "01", "1.0", "+1", "\u0661", "None", "null"),
)


def test_a_picture_follows_its_provider_unless_another_was_chosen(desk):
    def shown() -> list[str | None]:
        return [row[0] for row in desk.site.rows("SELECT picture FROM users")]

    one, two = (
        with_picture(assertion("google", "1"), "1"),
        with_picture(assertion("github", "2"), "2"),
    )
    desk.account(one, two)
    assert shown() == ["https://pictures.example/1"]
    desk.sign_in(with_picture(one, "1b"))
    assert shown() == ["https://pictures.example/1b"]
    desk.sign_in(with_picture(two, "2b"))
    assert shown() == ["https://pictures.example/1b"]


def test_subjects_are_compared_byte_by_byte(desk):
    """CVE-2024-32879: a case-insensitive comparison made one account of two people."""
    people = [assertion(subject=subject) for subject in SUBJECTS]
    assert {desk.sign_in(who) for who in people} == {Create()}
    assert len({desk.owner(who) for who in people}) == len(people)
    assert [desk.sign_in(who) for who in people] == [Known(desk.owner(who)) for who in people]


def test_a_subject_of_255_characters_of_any_script_is_kept_whole(desk):
    long = assertion(subject="\U0001f600" * 255)
    assert desk.sign_in(long) == Create()
    assert desk.owner(long)


def test_the_same_subject_of_another_issuer_is_another_user(desk):
    """42 at github.com is neither 42 at a GitHub Enterprise server nor 42 at Google."""
    everywhere = [
        assertion("github", "42"),
        assertion("github", "42", issuer="https://github.company.example"),
        assertion("github", "42", issuer="https://github.example/"),
        assertion("google", "42"),
    ]
    assert [desk.sign_in(who) for who in everywhere] == [Create()] * 4
    assert len(set(desk.owners().values())) == 4


KNOWN_ADDRESSES = (
    *("ada@gmail.com", "a_a@gmail.com", "mike@ada.example", "strasse@ada.example"),
    *("\u00c5sa@ada.example", "e\u0301@ada.example"),
)
SAME_ADDRESSES = ("Ada@GMail.com", "aDA@gmaiL.COM", "MIKE@ada.example", "\u00c5SA@ada.example")
OTHER_ADDRESSES = (
    *("mi\u212ae@ada.example", "m\u0131ke@ada.example", "M\u0130KE@ada.example"),
    *("stra\u00dfe@ada.example", "\u00e5sa@ada.example", "\u212bsa@ada.example"),
    *("\u00e9@ada.example", "\uff41da@gmail.com", "ad\u0430@gmail.com", "axa@gmail.com"),
    *("a.d.a@gmail.com", "ada+x@gmail.com", "ada@googlemail.com", "ada@gmail.com."),
)


def test_addresses_are_equal_but_for_ascii_case_only(desk):
    """Kelvin sign and dotless i; GitHub's case-mapping takeover of 2019."""
    for email in KNOWN_ADDRESSES:
        desk.enter(assertion("google", email, email, "trusted"))
    for email in KNOWN_ADDRESSES + SAME_ADDRESSES:
        newcomer = assertion("github", "new", email, "trusted")
        assert isinstance(desk.preview(newcomer, ASK), NeedsOwnership), email
        assert isinstance(desk.preview(newcomer, AUTO), Join), email
    for email in OTHER_ADDRESSES:
        newcomer = assertion("github", "new", email, "trusted")
        assert newcomer.profile.email == email
        assert desk.preview(newcomer, ASK) == desk.preview(newcomer, AUTO) == Create(), email


def test_accounts_without_an_address_never_match(desk):
    desk.enter(assertion("google", "1"))
    assert desk.sign_in(assertion("github", "2"), AUTO) == Create()


# Decisions that write nothing.


def test_a_question_or_a_refusal_writes_nothing(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    closed, listed = Policy(signups="closed"), Policy(allowed_email_domains=("navy.example",))
    assert isinstance(
        desk.sign_in(assertion("github", "2", "ada@gmail.com", "trusted")), NeedsOwnership
    )
    assert isinstance(desk.sign_in(assertion("github", "2"), closed), Refused)
    assert isinstance(desk.sign_in(assertion("github", "2"), listed), Refused)
    assert isinstance(desk.sign_in(assertion("github", "2"), signed_in_as="another"), NeedsSwitch)
    assert isinstance(desk.sign_in(assertion("google", "ada"), signed_in_as="another"), NeedsSwitch)
    assert desk.everything() == before


def test_a_preview_writes_nothing_and_decides_as_the_sign_in_does(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    newcomers = [
        assertion("google", "ada", "ada@gmail.com", "trusted"),
        assertion("github", "2", "ada@gmail.com", "trusted"),
        assertion("github", "2", "ada@gmail.com"),
    ]
    previews = [desk.preview(who) for who in newcomers]
    assert desk.everything() == before
    assert previews == [desk.sign_in(who) for who in newcomers]


def test_a_refused_sign_in_is_in_the_activity_of_its_account(desk):
    ada = desk.enter(assertion())
    desk.switch(ada.user_id, off=True)
    assert isinstance(desk.sign_in(assertion()), Refused)
    assert desk.events(ada.user_id)[0][:2] == ("refused", "disabled")


def test_the_allow_list_considers_all_identities_of_an_account(desk):
    policy = Policy(allowed_email_domains=("navy.example",))
    navy = assertion("google", "1", "grace@navy.example", "verified")
    grace = desk.account(navy, assertion("github", "2"))
    assert desk.sign_in(assertion("github", "2"), policy) == Known(grace.user_id)
    desk.unlink(grace, navy)
    assert isinstance(desk.sign_in(assertion("github", "2"), policy), Refused)


# Disabled accounts.


def test_a_disabled_user_is_signed_out_and_refused_immediately(desk):
    """Pocket-ID CVE-2026-43983, allauth 65.13."""
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    seats = [here, desk.enter(one), desk.enter(two)]
    desk.switch(here.user_id, off=True)
    assert [desk.whose(seat) for seat in seats] == [None] * 3
    assert [desk.try_to_enter(way)[1] for way in (one, two)] == [None] * 2
    eve = desk.enter(assertion("google", "eve"))
    assert isinstance(desk.link(eve.user_id, one), Refused)
    desk.switch(here.user_id, off=False)
    assert desk.enter(one).user_id == here.user_id
