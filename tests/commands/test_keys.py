"""``keys …``: everything sealed is sealed again with the new key, while servers run; nothing is
lost."""

import json

import pytest

from accounts import key_rotation
from keys.sealing import Sealer
from models import OAuth
from storage import db
from tests.browser import Browser
from tests.commands.console import answer, run
from tests.commands.test_users import id_of, sign_in
from tests.notices.test_sending import plan as plan_mail
from tests.site import SECRET_KEY, Site
from vault import tokens

NEW, OTHER = "a new key that is also long enough", "one more key that is long enough"
WEBHOOKS = ("webhook_secrets", "webhook_messages")
KINDS = ("tokens", "flows", "revocations", "mails", *WEBHOOKS, "signing_keys")


def everything_sealed(site: Site) -> tuple[Browser, str]:
    """A user with a token, an open flow, and a revocation, a mail and a message that wait."""
    site.restart(MAIL_URL="smtp://127.0.0.1:1", MAIL_FROM="no-reply@acme.example")
    site.browser().get("/oauth2/jwks")
    grace = sign_in(site, "grace")
    grace.link("github", "grace")
    site.simulator.github.answers["revoke"] = "status_503"
    answer(site, "webhooks", "add", "https://crm.invalid/hook")
    grace.unlink(grace.identity("github"))
    plan_mail(site, "grace@navy.example")
    site.app.extensions["jobs"].stop()
    return grace, grace.begin("google")


def token_of(site: Site, user_id: str) -> object:
    def read() -> object:
        return tokens.read(db.session.query(OAuth).filter_by(user_id=user_id).one())

    return site.inside(read)


def totals(document) -> dict[str, int]:
    return {kind: document[kind]["resealed"] for kind in KINDS}


def test_key_rotation_seals_everything_with_the_new_key(both):
    grace, to_provider = everything_sealed(both)
    user_id, before = id_of(grace), token_of(both, id_of(grace))
    both.restart(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=SECRET_KEY)
    status = answer(both, "keys", "status")["items"]
    assert [(key["setting"], key["seals"]) for key in status] == [
        ("SECRET_KEY", True),
        ("SECRET_KEY_FALLBACKS", False),
    ]
    assert all(status[1]["sealed"][kind] >= 1 for kind in KINDS)
    document = answer(both, "keys", "rotate")
    assert totals(document) == status[1]["sealed"]
    assert document["removable"] == [
        {"setting": "SECRET_KEY_FALLBACKS", "position": 1, "id": status[1]["id"]}
    ]
    again = answer(both, "keys", "rotate")
    assert totals(again) == dict.fromkeys(KINDS, 0)
    assert {kind: again[kind]["already_new"] for kind in KINDS} == status[1]["sealed"]
    both.restart(SECRET_KEY_FALLBACKS="")
    assert token_of(both, user_id) == before
    assert grace.get(grace.choose(to_provider, "grace")).path == "/account", "its flow was lost"
    del both.simulator.github.answers["revoke"]
    both.execute("UPDATE revocations SET due_at = '2026-01-01 00:00:00.000000'")
    assert answer(both, "revocations", "run")["ended"] == {"revoked": 1}


def test_a_separate_token_key_takes_over_from_the_secret_key(site):
    grace, _ = everything_sealed(site)
    site.restart(TOKEN_ENCRYPTION_KEYS=f"{NEW},{OTHER}")
    document = answer(site, "keys", "rotate")
    # Nothing was sealed with the second; SECRET_KEY signs cookies and stays where it is.
    assert [(key["setting"], key["position"]) for key in document["removable"]] == [
        ("TOKEN_ENCRYPTION_KEYS", 2)
    ]
    site.restart(TOKEN_ENCRYPTION_KEYS=NEW, SECRET_KEY=OTHER)
    assert token_of(site, id_of(grace))


class Overtaken(Sealer):
    """Another server writes while a value is being sealed again."""

    def __init__(self, keys, meanwhile) -> None:
        super().__init__(keys)
        self.meanwhile = meanwhile

    def seal(self, value, bound_to):
        envelope = super().seal(value, bound_to)
        self.meanwhile()
        return envelope


def test_key_rotation_does_not_overwrite_a_token_that_is_refreshed_meanwhile(both):
    """The other server does not wait, either: sealing holds no lock."""
    user_id = id_of(sign_in(both, "grace"))
    identity_id = both.rows("SELECT id FROM oauth")[0][0]
    both.restart(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=SECRET_KEY)
    old_server = Sealer([SECRET_KEY, NEW])
    renewals = iter(["renewed once"])

    def bound() -> str:
        return tokens.bound_to(db.session.get_one(OAuth, identity_id))

    bound_to = both.inside(bound)

    def renew() -> None:
        for token in renewals:
            envelope = old_server.seal({"access_token": token}, bound_to)
            both.execute("UPDATE oauth SET token = :t", t=envelope)

    both.app.extensions["sealer"] = Overtaken([NEW, SECRET_KEY], renew)
    document = answer(both, "keys", "rotate")
    assert document["tokens"] == {"resealed": 1, "already_new": 0, "unreadable": 0}
    assert document["removable"], "what the old server wrote meanwhile was looked at again"
    both.restart(SECRET_KEY_FALLBACKS="")
    assert token_of(both, user_id) == {"access_token": "renewed once"}


def test_key_rotation_skips_a_row_that_is_deleted_meanwhile(both):
    sign_in(both, "grace")
    both.restart(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=SECRET_KEY)
    gone = Overtaken([NEW, SECRET_KEY], lambda: both.execute("DELETE FROM users"))
    both.app.extensions["sealer"] = gone
    assert answer(both, "keys", "rotate")["tokens"]["resealed"] == 0
    assert both.user_count() == 0


def test_key_rotation_reports_an_old_key_that_a_server_still_seals_with(site):
    sign_in(site, "grace")
    site.restart(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=SECRET_KEY)
    (row,) = site.rows("SELECT token FROM oauth")

    def write_again() -> None:
        # An old server keeps doing this.
        site.execute("UPDATE oauth SET token = :t", t=row[0] + "=" * next(lengths))

    lengths = iter(range(1, 1000))
    site.app.extensions["sealer"] = Overtaken([NEW, SECRET_KEY], write_again)
    document = answer(site, "keys", "rotate")
    assert [key["setting"] for key in document["still_needed"]] == ["SECRET_KEY_FALLBACKS"]
    assert document["removable"] == []
    assert "Still needed: SECRET_KEY_FALLBACKS, no. 1" in run(site, "keys", "rotate").stdout


def test_an_interrupted_key_rotation_resumes(site, monkeypatch):
    monkeypatch.setattr(key_rotation, "BATCH_ROWS", 1)
    people = [id_of(sign_in(site, who)) for who in ("grace", "linus", "ada")]
    site.restart(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=SECRET_KEY)
    left = iter([1, 2])

    def interrupt() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    sealer = site.app.extensions["sealer"]
    site.app.extensions["sealer"] = Overtaken([NEW, SECRET_KEY], interrupt)
    assert run(site, "keys", "rotate").exit_code == 1
    site.app.extensions["sealer"] = sealer
    assert answer(site, "keys", "rotate")["tokens"] == {
        "resealed": 1,
        "already_new": 2,
        "unreadable": 0,
    }
    site.restart(SECRET_KEY_FALLBACKS="")
    assert all(token_of(site, user_id) for user_id in people)


def test_key_rotation_counts_and_keeps_rows_that_no_key_opens(both):
    sign_in(both, "grace")
    sign_in(both, "linus")
    (envelope,) = both.rows("SELECT token FROM oauth ORDER BY linked_at LIMIT 1")[0]
    both.execute("UPDATE oauth SET token = :t", t=envelope)  # a row's token, copied to another
    both.restart(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=SECRET_KEY)
    document = answer(both, "keys", "rotate")
    assert document["tokens"] == {"resealed": 1, "already_new": 0, "unreadable": 1}
    assert document["removable"], "a key that opens nothing any more is not needed"
    assert both.rows("SELECT token FROM oauth WHERE token = :t", t=envelope) == [(envelope,)]
    both.restart(SECRET_KEY_FALLBACKS="")
    assert answer(both, "keys", "status")["unknown"]["tokens"] == 1
    assert "no configured key: 1 token" in run(both, "keys", "status").stdout
    result = run(both, "keys", "rotate")
    assert result.exit_code == 0
    assert "next sign-in brings a new token" in result.stderr


def test_key_rotation_prints_no_key_and_no_token(site):
    sign_in(site, "grace")
    (access_token,) = site.simulator.google.tokens
    site.restart(TOKEN_ENCRYPTION_KEYS=NEW, SECRET_KEY_FALLBACKS=OTHER)
    for words in (["status"], ["rotate"], ["status", "--json"], ["rotate", "--json"]):
        output = run(site, "keys", *words).output
        assert not [each for each in (NEW, OTHER, SECRET_KEY, access_token) if each in output]


def test_a_generated_key_is_accepted_by_the_settings(make_site):
    site = make_site()
    keys = {run(site, "keys", "generate").stdout for _ in range(3)}
    assert len(keys) == 3
    document = json.loads(run(site, "keys", "generate", "--json").stdout)
    assert len(document["key"]) >= 64
    site.restart(SECRET_KEY=document["key"])
    assert answer(site, "keys", "status")["items"][0]["id"] == document["id"]


@pytest.mark.parametrize("words", [["rotate", "x"], ["status", "--nonsense"], ["nonsense"]])
def test_a_wrong_argument_of_key_rotation_is_explained(site, words):
    result = run(site, "keys", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words[-1] in result.stderr
