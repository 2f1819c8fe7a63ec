"""The settings of what providers report to us, and of what we tell others, in groups."""

from typing import Annotated, Literal

from pydantic import Field

from config.groups import Group


class Inbox(Group):
    """Reports of providers ([inbox](../operate/inbox.md))."""

    inbox_orphans: Literal["delete", "keep"] = "delete"
    """`delete`: an account whose last identity is gone at its provider is deleted after
    `INBOX_GRACE_DAYS`. `keep`: it stays."""

    inbox_grace_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Days in which its person can still come back."""
