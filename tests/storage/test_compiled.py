"""Compiled statements share the ORM's transaction."""

import pytest
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from accounts import users
from models import OAuth, User
from providers.profile import make_profile
from storage import atomic, db
from storage.compiled import CompiledSelect, CompiledStatement
from storage.readers import reader_of, reading

NUMBER = CompiledSelect(select(func.count()).select_from(User), int)
RENAME = CompiledStatement(
    update(User).where(User.id == bindparam("user_id")).values(name=bindparam("name"))
)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_compiled_statement_shares_the_orm_transaction_and_sees_pending_rows(make_site, engine):
    site = make_site(engine)

    @atomic
    def add(*, fail: bool) -> int:
        user = User(id="a" * 32, name="Ada")
        db.session.add(user)
        seen = NUMBER.row() or 0
        assert RENAME.run(user_id=user.id, name="Ada L.") == 1
        if fail:
            raise LookupError
        return seen

    with pytest.raises(LookupError):
        site.inside(add, fail=True)
    assert site.user_count() == 0
    assert site.inside(add, fail=False) == 1
    assert site.rows("SELECT name FROM users") == [("Ada L.",)]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_reader_sees_what_is_committed_and_an_atomic_verb_sees_its_own_rows(make_site, engine):
    site = make_site(engine)

    @atomic
    def add() -> int:
        db.session.add(User(id="b" * 32, name="Bob"))
        return NUMBER.row() or 0

    def read() -> tuple[int | None, int, list[int]]:
        with reading(reader_of(site.app)):
            before = NUMBER.row()
            within = add()
            return before, within, NUMBER.rows()

    assert site.inside(read) == (0, 1, [1])


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_reader_that_fails_raises_what_the_orm_does_and_reads_again(make_site, engine):
    site = make_site(engine)

    def read() -> int | None:
        with reading(reader_of(site.app)):
            return NUMBER.row()

    site.execute("ALTER TABLE users RENAME TO elsewhere")
    with pytest.raises(DBAPIError, match="users"):
        site.inside(read)
    site.execute("ALTER TABLE elsewhere RENAME TO users")
    assert site.inside(read) == 0


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_json_is_read_as_the_orm_reads_it(make_site, engine):
    site = make_site(engine)
    values = [{}, {"a": [1, 2.5, None, True]}, {"name": 'Gr\u00e4ce "\\ \u2028 🦉'}]
    query = select(OAuth.profile).order_by(OAuth.id)

    @atomic
    def add() -> None:
        db.session.add(User(id="a" * 32))
        for number, profile in enumerate(values):
            key = {"id": f"{number:032}", "user_id": "a" * 32, "provider": "p", "issuer": ""}
            db.session.add(OAuth(**key, subject=str(number), profile=profile))

    site.inside(add)
    found = site.inside(CompiledSelect(query, lambda each: each).rows)
    assert found == values == site.inside(lambda: list(db.session.scalars(query)))


# A row whose foreign key is checked at commit, and then fails.
WAITING = {
    "sqlite": (
        "CREATE TABLE parents (id TEXT PRIMARY KEY)",
        "CREATE TABLE children (id TEXT REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER orphan AFTER INSERT ON users BEGIN INSERT INTO children VALUES ('x'); END",
    ),
    "postgresql": (
        (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23503'; END $$"
        ),
        (
            "CREATE CONSTRAINT TRIGGER orphan AFTER INSERT ON users"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
        ),
    ),
}


@pytest.mark.parametrize("with_orm", [True, False])
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_failed_commit_leaves_nothing_to_the_next_request(make_site, engine, with_orm):
    site = make_site(engine)
    for statement in WAITING[engine]:
        site.execute(statement)

    @atomic
    def add() -> None:
        if with_orm:
            db.session.add(User(id="a" * 32, name="Ada"))
        else:
            users.add(make_profile(subject="1"))

    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"FOREIGN KEY|no"):
            site.inside(add)
    site.execute("DROP TRIGGER orphan" + (" ON users" if engine == "postgresql" else ""))
    site.inside(add)
    assert site.user_count() == 1
