"""``users …``: find, disable, delete and export users."""

import json
import stat

import pytest

from tests.browser import Browser
from tests.commands.console import answer, run
from tests.site import Site

SECRETS = ("access_token", "token_hash", "refresh_token", "ya29")


def sign_in(site: Site, person: str, provider: str = "google") -> Browser:
    browser = site.browser()
    browser.sign_in(provider, person)
    assert browser.me(), person
    return browser


def id_of(browser: Browser) -> str:
    assert browser.user_id
    return browser.user_id


def email_of(browser: Browser) -> str:
    me = browser.me()
    assert me
    return str(me["email"])


def subject_of(browser: Browser) -> str:
    me = browser.me()
    assert me
    return f"{me['identities'][0]['provider']}:{me['identities'][0]['subject']}"


# Show.


def test_a_user_is_found_by_id_by_identity_and_by_address(both):
    grace = sign_in(both, "grace")
    email = email_of(grace)
    for who in (id_of(grace), subject_of(grace), email, email.upper()):
        (item,) = answer(both, "users", "show", who)["items"]
        assert item["id"] == id_of(grace)
    assert item["email"] == email
    assert item["email_verified"] is True
    assert item["disabled_at"] is None
    assert item["last_activity_at"]
    assert [row["provider"] for row in item["identities"]] == ["google"]
    assert [row["address"] for row in item["sessions"]] == ["127.0.0.1"]
    text = run(both, "users", "show", id_of(grace)).stdout
    assert f"e-mail         {email} (verified)" in text
    assert subject_of(grace) in text


def test_users_show_prints_no_secret(site):
    grace = sign_in(site, "grace")
    (access_token,) = site.simulator.google.tokens
    token = str(grace.cookie("session"))
    for words in (["show", id_of(grace)], ["list"], ["export", id_of(grace)]):
        for form in ([], ["--json"]):
            output = run(site, "users", *words, *form).output
            assert id_of(grace) in output
            assert not [each for each in (*SECRETS, access_token, token) if each in output]


def test_an_address_of_several_users_shows_all_of_them(make_site):
    site = make_site(ACCOUNT_LINKING="separate")
    ids = {id_of(sign_in(site, "ada")), id_of(sign_in(site, "ada", "github"))}
    email = site.rows("SELECT email FROM oauth")[0][0]
    items = answer(site, "users", "show", email)["items"]
    assert {item["id"] for item in items} == ids
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("who", "status", "said"),
    [
        ("nobody@example.org", 1, "There is no such user."),
        ("0" * 32, 1, "There is no such user."),
        ("github:1", 1, "There is no such user."),
        ("nobody", 2, "neither an id, an e-mail address nor provider:subject"),
        ("\x1b[31m", 2, "cannot be printed"),
        ("a\udce9:1", 2, "cannot be printed"),
    ],
)
def test_an_unknown_or_malformed_user_is_reported_in_one_line(both, who, status, said):
    result = run(both, "users", "show", who)
    assert (result.exit_code, result.stdout) == (status, "")
    assert said in result.stderr


def test_a_users_name_cannot_control_the_terminal(site):
    grace = sign_in(site, "grace")
    site.execute("UPDATE users SET name = :name", name="\x1b]0;owned\x07\u202egrace")
    for words in (["show", id_of(grace)], ["list"]):
        for form in ([], ["--json"]):
            output = run(site, "users", *words, *form).output
            assert "\x1b" not in output
            assert "\u202e" not in output


# List.


def test_the_list_of_users_is_paged_with_the_newest_first(both):
    ids = [id_of(sign_in(both, person)) for person in ("grace", "linus", "ada")]
    both.execute("UPDATE users SET created_at = '2026-01-01 00:00:00.000000'")  # ties are harmless
    both.execute(
        "UPDATE users SET created_at = '2026-02-01 00:00:00.000000' WHERE id = :id", id=ids[0]
    )
    first = answer(both, "users", "list", "--limit", "1")
    assert [item["id"] for item in first["items"]] == ids[:1]
    rest = answer(both, "users", "list", "--limit", "2", "--after", first["next_cursor"])
    assert {item["id"] for item in rest["items"]} == set(ids[1:])
    assert rest["next_cursor"] is None
    run(both, "users", "disable", ids[1])
    off = answer(both, "users", "list", "--disabled")["items"]
    assert [item["id"] for item in off] == [ids[1]]


def test_the_list_is_searched_by_words_of_a_name_or_a_whole_address_in_capitals_or_not(both):
    grace, linus = sign_in(both, "grace"), sign_in(both, "linus")
    both.execute("UPDATE users SET name = 'Ñuñez 100%_x' WHERE id = :id", id=id_of(linus))
    for text in ("hopper", "GRA HOP", email_of(grace).upper(), subject_of(grace)):
        found = answer(both, "users", "list", "--search", text)
        assert ([item["id"] for item in found["items"]], found["total"]) == ([id_of(grace)], 1)
    for text in ("ñuñez", "ÑUÑEZ", "nunez", "100%_X"):
        assert answer(both, "users", "list", "--search", text)["total"] == 1, text
    for text in ("%", "_", "nobody", email_of(grace)[1:]):  # no wildcards, no parts of addresses
        assert answer(both, "users", "list", "--search", text)["total"] == 0, text
    refused = run(both, "users", "show", "Hopper").stderr
    assert "users list --search" in refused


def test_a_list_of_users_says_how_many_there_are(both):
    assert "0 of 0 users." in run(both, "users", "list").stderr
    sign_in(both, "grace")
    assert "1 of 1 user." in run(both, "users", "list").stderr
    sign_in(both, "linus")
    shown = run(both, "users", "list", "--limit", "1")
    assert "1 of 2 users. There are more: --after" in shown.stderr
    assert len(shown.stdout.splitlines()) == 1
    assert answer(both, "users", "list", "--limit", "1")["total"] == 2


def test_one_of_a_thing_is_told_in_the_singular(site):
    grace = sign_in(site, "grace")
    assert ": 1 session\n" in run(site, "sessions", "list", id_of(grace)).stdout
    assert ": 1 token, 0 flows, 0 revocations" in run(site, "keys", "status").stdout
    said = run(site, "users", "delete", id_of(grace), "--yes").stdout
    assert "is deleted, with 1 identity, 1 session and 1 line of activity." in said


@pytest.mark.parametrize(
    "words", [["--limit", "0"], ["--limit", "x"], ["--after", "x"], ["--after", "0" * 32]]
)
def test_a_malformed_page_cursor_is_a_wrong_argument(site, words):
    result = run(site, "users", "list", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words[0] in result.stderr


# Disable and enable.


def test_a_disabled_user_is_signed_out_immediately_and_stays_out_until_enabled(both):
    grace, linus = sign_in(both, "grace"), sign_in(both, "linus")
    user_id = id_of(grace)
    document = answer(both, "users", "disable", subject_of(grace))
    assert document["id"] == user_id
    assert document["disabled_at"]
    assert document["sessions_ended"] == 1
    assert grace.me() is None
    assert linus.me()
    assert grace.sign_in("google", "grace").alert == "This account is disabled"
    assert both.rows("SELECT count(*) FROM sessions WHERE user_id = :id", id=user_id) == [(0,)]
    answer(both, "users", "enable", user_id)
    assert grace.me() is None, "what was ended stays ended"
    assert grace.sign_in("google", "grace").path == "/account"
    text = grace.get("/account/activity").text
    assert "Account switched off by this site" in text
    assert "Account switched on again by this site" in text
    assert "This site's operator" in text


def test_disabling_a_user_twice_says_since_when(site):
    user_id = id_of(sign_in(site, "grace"))
    first = answer(site, "users", "disable", user_id)
    assert answer(site, "users", "disable", user_id)["disabled_at"] == first["disabled_at"]
    kinds = site.rows("SELECT kind FROM events WHERE kind = 'switched_off'")
    assert len(kinds) == 1


def test_a_bearer_token_of_a_disabled_account_is_refused(site):
    browser = site.browser()
    token = site.simulator.firebase.mint("grace")
    browser.bring(token)
    user_id = id_of(browser)
    bearer = {"Authorization": f"Bearer {token}"}
    app = site.browser()
    assert app.fetch("/api/v1/me", headers=bearer).status == 200
    run(site, "users", "disable", user_id)
    assert app.fetch("/api/v1/me", headers=bearer).status == 401


@pytest.mark.parametrize("verb", ["disable", "enable", "delete", "export"])
def test_an_address_is_not_enough_to_disable_or_delete_a_user(site, verb):
    """Mallory's account may be the only one with it, unverified."""
    grace = sign_in(site, "grace")
    words = ["--yes"] if verb == "delete" else []
    result = run(site, "users", verb, email_of(grace), *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert id_of(grace) in result.stderr
    assert grace.me()


def test_a_subject_that_two_issuers_share_is_refused_and_both_are_named(make_site):
    site = make_site(ACCOUNT_LINKING="separate")
    grace, linus = sign_in(site, "grace"), sign_in(site, "linus")
    who = subject_of(grace)
    site.execute(
        "UPDATE oauth SET issuer = 'https://other.example', subject = :s WHERE user_id = :u",
        s=who.partition(":")[2],
        u=id_of(linus),
    )
    result = run(site, "users", "disable", who)
    assert result.exit_code == 2
    assert id_of(grace) in result.stderr
    assert id_of(linus) in result.stderr


# Delete.


def test_deleting_a_user_removes_everything_and_queues_the_revocations(both):
    grace, linus = sign_in(both, "grace"), sign_in(both, "linus")
    grace.link("github", "grace")
    user_id = id_of(grace)
    document = answer(both, "users", "delete", user_id, "--yes")
    assert document["identities"] == 2
    assert document["grants_waiting"] == 2
    assert grace.me() is None
    assert linus.me()
    assert run(both, "users", "show", user_id).exit_code == 1
    assert answer(both, "revocations", "run") == {"ended": {"revoked": 2}, "waiting": 0}
    assert both.simulator.google.revoked == ["grace"]
    assert both.simulator.github.revoked == ["grace"]


def test_deleting_a_user_asks_first_and_obeys_a_no(site):
    grace = sign_in(site, "grace")
    for typed in ("", "n\n"):
        result = run(site, "users", "delete", id_of(grace), typed=typed)
        assert (result.exit_code, result.stdout) == (1, "")
        assert grace.me()
    assert run(site, "users", "delete", id_of(grace), typed="y\n").exit_code == 0
    assert grace.me() is None


# Export.


def test_the_export_command_writes_the_document_of_the_account_page(site, tmp_path):
    grace = sign_in(site, "grace")
    path = tmp_path / "grace.json"
    result = run(site, "users", "export", id_of(grace), "--output", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    exported = json.loads(path.read_text())
    page = grace.post("/account/data", grace.get("/account/data")).response.json()
    assert exported.keys() == page.keys()
    for name in ("profile", "identities"):
        assert exported[name] == page[name]
    assert exported["activity"][0]["kind"] == "downloaded"
    assert exported["activity"][0]["user_agent"] == "command line"
    assert answer(site, "users", "export", id_of(grace)).keys() == page.keys()


def test_the_export_command_overwrites_no_file(site, tmp_path):
    grace = sign_in(site, "grace")
    (tmp_path / "there").write_text("mine")
    for path, said in ((tmp_path / "there", "there already"), (tmp_path / "no" / "x", "No such")):
        result = run(site, "users", "export", id_of(grace), "--output", str(path))
        assert result.exit_code == 1
        assert said in result.stderr
    assert (tmp_path / "there").read_text() == "mine"
    assert site.rows("SELECT count(*) FROM events WHERE kind = 'downloaded'") == [(0,)]
