"""Marks of refresh tokens: by them a token is found that its provider names by a part of it or by
a hash (https://developers.google.com/identity/protocols/risc). Nobody gets a token from its mark.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from models import OAuth
from providers import PROVIDERS
from storage import db
from vault.models import TokenMark

PREFIX_CHARACTERS = 16


@dataclass(frozen=True)
class TokenName:
    """The name of one refresh token: a mark of its beginning, or of the whole."""

    is_prefix: bool
    mark: str

    @classmethod
    def of(cls, algorithm: str, value: str) -> "TokenName | None":
        """Return the name that a provider gives; None if it is of no kind that is known."""
        if algorithm == "prefix" and len(value) == PREFIX_CHARACTERS:
            return cls(True, _mark(value))
        if algorithm == "hash_base64_sha512_sha512" and value:
            return cls(False, _mark(value))
        return None


def _mark(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _double_hash(token: str) -> str:
    inner = hashlib.sha512(token.encode()).digest()
    return base64.b64encode(hashlib.sha512(inner).digest()).decode()


def note(identity_id: str, provider: str, token: Mapping[str, Any]) -> None:
    """Keep the marks of a refresh token, if its provider reports single ones. Call within the
    atomic verb that stores the token."""
    known, refresh_token = PROVIDERS.get(provider), token.get("refresh_token")
    if known is None or not known.reports_tokens or not isinstance(refresh_token, str):
        return
    db.session.execute(delete(TokenMark).where(TokenMark.identity_id == identity_id))
    marks = {
        "prefix": _mark(refresh_token[:PREFIX_CHARACTERS]),
        "whole": _mark(_double_hash(refresh_token)),
    }
    db.session.execute(insert(TokenMark).values(identity_id=identity_id, **marks))


def subjects(name: TokenName, provider: str, issuer: str) -> Sequence[str]:
    """Return the subject of the identity whose stored token is meant; none if that is not exactly
    one."""
    column = TokenMark.prefix if name.is_prefix else TokenMark.whole
    query = (
        select(OAuth.subject)
        .join(TokenMark, TokenMark.identity_id == OAuth.id)
        .where(column == name.mark, OAuth.provider == provider, OAuth.issuer == issuer)
    )
    found = db.session.scalars(query.where(OAuth.token.is_not(None)).limit(2)).all()
    return found if len(found) == 1 else []
