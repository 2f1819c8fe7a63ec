"""The directory: how an operator finds people, by id, identity or address, and page by page."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, select, tuple_
from sqlalchemy.orm import selectinload

from accounts import filters, name_search
from accounts.activity import Position
from accounts.filters import Only
from accounts.name_search import Place
from accounts.names import words_of
from accounts.rules import Policy
from models import Event, Identity, OAuth, Session, User
from providers.profile import email_key
from storage import db, is_id

SEARCH_PAGE_SIZE = 25
# No name, address or subject is longer.
SEARCH_MAX_CHARACTERS = 320
# No index has the stranded: so many accounts are looked through for one page of them.
STRANDED_AMONG = 5_000


def find(who: str) -> Sequence[User]:
    """Return everybody that an id, an e-mail address or ``provider:subject`` matches, oldest
    account first.

    Several people may have an address, and also a subject, if a provider's name has meant two
    servers. Raises ValueError if the text is none of the three.
    """
    if not who.isprintable():
        raise ValueError("it holds characters that cannot be printed")
    if is_id(who):
        return _all(_with_identities().where(User.id == who))
    provider, colon, subject = who.partition(":")
    if colon and provider and subject:
        same = and_(OAuth.provider == provider, OAuth.subject == subject)
    elif is_address(who):
        same = OAuth.email_key == email_key(who)
    else:
        raise ValueError("it is neither an id, an e-mail address nor provider:subject")
    owners = select(OAuth.user_id).where(same)
    return _all(_with_identities().where(User.id.in_(owners)))


def find_identities(text: str) -> Sequence[Identity]:
    """Return the identities that an id or ``provider:subject`` matches."""
    if not text.isprintable():
        return []
    provider, _, subject = text.partition(":")
    same = and_(OAuth.provider == provider, OAuth.subject == subject)
    rows = db.session.scalars(select(OAuth).where(OAuth.id == text if is_id(text) else same))
    return [Identity.of_row(row) for row in rows]


def is_address(who: str) -> bool:
    """Whether a text is an e-mail address, which does not identify a person."""
    return "@" in who and ":" not in who


def page(
    limit: int,
    after: str | None = None,
    *,
    only_disabled: bool = False,
    only_pending: bool = False,
    text: str = "",
) -> Sequence[User]:
    """Return the newest accounts first, older than the one with id ``after``.

    ``text``: as ``search`` takes it. Raises ValueError if there is no account ``after``.
    """
    place = _place_of(after)
    if after is not None and place is None:
        raise ValueError("there is no user with that id")
    return _people(text, _only(only_disabled, only_pending), place, limit)


def count(*, only_disabled: bool = False, only_pending: bool = False, text: str = "") -> int:
    """Return how many accounts ``page`` has in total."""
    only = _only(only_disabled, only_pending)
    exact, words = _meaning(text)
    if words:
        return name_search.count(words, only)
    query = select(func.count()).select_from(User).where(*exact, *only)
    return db.session.scalar(query) or 0


def _only(disabled: bool, pending: bool) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [User.disabled_at.is_not(None)] if disabled else []
    return [*found, User.pending_at.is_not(None)] if pending else found


def search(
    text: str,
    policy: Policy,
    *,
    only: Only = "",
    after: str | Position | None = None,
    until: str | None = None,
    limit: int = SEARCH_PAGE_SIZE,
) -> Sequence[User]:
    """Return the people whom an administrator looks for, newest account first.

    ``text``: an id, ``provider:subject`` or an e-mail address, each exactly; otherwise the
    beginnings of words of the name, in any order. ``after``: the last one seen, by id or by time
    of creation and id. ``until``: the id of the oldest account to look at (``stop_of``).
    """
    wanted = [filters.condition(only, policy)] if only else []
    place = _place_of(after) if after is None or isinstance(after, str) else Place(*after)
    end = _place_of(until)
    if end is not None:
        wanted.append(tuple_(User.created_at, User.id) >= tuple_(*end))
    return _people(text, wanted, place, limit)


def stop_of(text: str, after: str | None) -> str | None:
    """Return the id of the account at which a page of the stranded stops; None: it looks at all
    that are left, or at those whom the text names exactly."""
    if _meaning(text)[0]:
        return None
    query = select(User.id).order_by(User.created_at.desc(), User.id.desc())
    place = _place_of(after)
    if place is not None:
        query = query.where(tuple_(User.created_at, User.id) < tuple_(*place))
    return db.session.scalar(query.offset(STRANDED_AMONG - 1).limit(1))


def _people(
    text: str, only: list[ColumnElement[bool]], before: Place | None, limit: int
) -> Sequence[User]:
    exact, words = _meaning(text)
    if words:
        ids = name_search.find(words, only, before, limit)
        query = _with_identities().where(User.id.in_(ids))
    else:
        query = _with_identities().where(*exact, *only)
        if before is not None:
            query = query.where(tuple_(User.created_at, User.id) < tuple_(*before))
    query = query.order_by(User.created_at.desc(), User.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def _place_of(user_id: str | None) -> Place | None:
    user = db.session.get(User, user_id) if user_id and is_id(user_id) else None
    return Place(user.created_at, user.id) if user else None


def _meaning(text: str) -> tuple[list[ColumnElement[bool]], list[str]]:
    """Return what a searched text amounts to: conditions of one person or address, or words of
    names. A text that nobody can have, such as one with controls, finds nobody."""
    text = text.strip()
    if not text:
        return [], []
    if not text.isprintable() or len(text) > SEARCH_MAX_CHARACTERS:
        return [false()], []
    if is_id(text):
        return [User.id == text], []
    provider, colon, subject = text.partition(":")
    if colon and provider and subject:
        same = and_(OAuth.provider == provider, OAuth.subject == subject)
    elif is_address(text):
        same = OAuth.email_key == email_key(text)
    else:
        words = words_of(text)
        return ([], words) if words else ([false()], [])
    return [User.id.in_(select(OAuth.user_id).where(same))], []


def last_seen(user_ids: Collection[str]) -> dict[str, datetime]:
    """Return when people were last active, by user id: their latest session, identity or event."""
    found: dict[str, datetime] = {}
    for owner, moment in (
        (Session.user_id, Session.last_seen_at),
        (OAuth.user_id, OAuth.last_used_at),
        (Event.user_id, Event.at),
    ):
        query = select(owner, func.max(moment)).where(owner.in_(user_ids)).group_by(owner)
        for user_id, at in db.session.execute(query):
            found[user_id] = max(at, found.get(user_id, at))
    return found


def names(user_ids: Collection[str]) -> dict[str, str]:
    """Return what people are called, by user id: their name, else their id."""
    query = select(User.id, User.name).where(User.id.in_(user_ids))
    return {user_id: name or user_id for user_id, name in db.session.execute(query)}


def _with_identities() -> Select[User]:
    return select(User).options(selectinload(User.identity_rows))


def _all(query: Select[User]) -> Sequence[User]:
    return db.session.scalars(query.order_by(User.created_at, User.id)).all()
