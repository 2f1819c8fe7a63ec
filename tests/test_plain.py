"""Statements past the ORM, in the same transaction as what the ORM does."""

import pytest
from sqlalchemy import bindparam, func, select, update

from models import User, atomic, db
from plain import Plain

NUMBER = Plain(select(func.count()).select_from(User))
RENAME = Plain(update(User).where(User.id == bindparam("user_id")).values(name=bindparam("name")))


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_it_sees_what_the_orm_has_yet_to_write_and_ends_with_it(make_site, engine):
    site = make_site(engine)

    @atomic
    def add(*, fail: bool) -> int:
        user = User(id="a" * 32, name="Ada")
        db.session.add(user)
        seen = int(NUMBER.value())
        assert RENAME.run(user_id=user.id, name="Ada L.") == 1
        if fail:
            raise LookupError
        return seen

    with pytest.raises(LookupError):
        site.inside(add, fail=True)
    assert site.user_count() == 0
    assert site.inside(add, fail=False) == 1
    assert site.rows("SELECT name FROM users") == [("Ada L.",)]
