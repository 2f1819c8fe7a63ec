"""A session that was just started, and what starts one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class Opener(Protocol):
    """An identity, as far as it starts a session."""

    @property
    def id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def provider(self) -> str: ...


@dataclass(frozen=True)
class Begun:
    """A session that was just started, or is read without its user: the columns of its row."""

    id: str
    token_hash: str = field(repr=False)
    user_id: str
    identity_id: str
    provider: str
    sid: str
    created_at: datetime
    authenticated_at: datetime
    upstream_sid: str | None
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str
