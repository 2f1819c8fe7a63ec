"""Addresses to which nothing can be sent, as the mail server says."""

import structlog
from sqlalchemy import update

from models import OAuth
from providers.profile import email_key
from storage import db, now

log = structlog.get_logger()


def mark(address: str) -> None:
    """Note that nothing can be sent to an address until its provider says that it takes mail
    again. Call within an atomic verb."""
    dead = update(OAuth).where(OAuth.email_key == email_key(address), OAuth.email_dead_at.is_(None))
    dead = dead.values(email_dead_at=now()).execution_options(synchronize_session=False)
    db.session.execute(dead)
    log.warning("address_dead")
