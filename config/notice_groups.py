"""The settings of what providers report to us, and of what we tell others, in groups."""

from typing import Annotated, Literal

from pydantic import Field

from config.groups import Group


class Inbox(Group):
    """What happens when a provider reports something ([inbox](../operate/inbox.md))."""

    inbox_orphans: Literal["delete", "keep"] = "delete"
    """What becomes of an account whose last identity is gone at its provider: `delete` it after
    `INBOX_GRACE_DAYS`, or `keep` it."""

    inbox_grace_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Days in which its person can still come back."""
