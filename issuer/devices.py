"""Devices: a television or a terminal asks, and its person answers elsewhere (RFC 8628).

A code that a person types is short, so the answer to it is limited, bound to a signed-in browser,
and names the client and where it asks from. The row is claimed once.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import structlog
from sqlalchemy import CursorResult, Select, delete, select, update

from accounts.activity import Caller
from accounts.sessions import hash_token
from issuer import consents, grants, scopes
from issuer.clients import Client
from issuer.exchanges import Issued, Use, issue
from issuer.faults import Refused
from issuer.grants import Basis
from issuer.models import DeviceRow
from issuer.refresh_tokens import macs
from issuer.steps import Visitor
from storage import atomic, db, now

log = structlog.get_logger()

LIFETIME_SECONDS = 600
INTERVAL_SECONDS = 5
# RFC 8628 6.1: no vowels, so no words; nothing that is misread.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
CODE_CHARACTERS = 8
WAITING, ALLOWED, DENIED = "waiting", "allowed", "denied"


@dataclass(frozen=True)
class Device:
    """A device that asks."""

    id: str
    client_id: str
    scopes: str
    state: str
    grant_id: str | None
    interval: int
    polled_at: datetime | None
    address: str
    user_agent: str
    expires_at: datetime


_COLUMNS = [DeviceRow.__table__.c[each.name] for each in fields(Device)]


def hash_user_code(code: str) -> str:
    """Hash a code with a key: it is too short for a plain hash."""
    return macs().make(f"user code:{normalise(code)}".encode()).hex()


def normalise(code: str) -> str:
    """Return a code as it was typed, without what only makes it readable."""
    return "".join(letter for letter in code.upper() if letter in ALPHABET)[:CODE_CHARACTERS]


def show_code(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"


@atomic
def begin(client: Client, asked: Sequence[str], caller: Caller) -> tuple[str, str]:
    """Begin; return the code of the device and the one for its person."""
    device_code = secrets.token_urlsafe(32)
    user_code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
    row = DeviceRow(
        id=hash_token(device_code),
        user_code_hash=hash_user_code(user_code),
        client_id=client.id,
        scopes=scopes.join(scopes.allowed(asked, scopes.of_people(client.scopes))),
        state=WAITING,
        interval=INTERVAL_SECONDS,
        address=caller.address,
        user_agent=caller.user_agent[:256],
        expires_at=now() + timedelta(seconds=LIFETIME_SECONDS),
    )
    db.session.add(row)
    db.session.flush()
    return device_code, show_code(user_code)


def find(user_code: str) -> Device | None:
    """Return the device that waits for the answer to a code."""
    if len(normalise(user_code)) != CODE_CHARACTERS:
        return None
    query = select(*_COLUMNS).where(
        DeviceRow.user_code_hash == hash_user_code(user_code),
        DeviceRow.state == WAITING,
        DeviceRow.expires_at > now(),
    )
    row = db.session.execute(query).one_or_none()
    return Device(*row) if row else None


@atomic
def answer(
    device: Device, client: Client, visitor: Visitor, caller: Caller, *, allows: bool
) -> bool:
    """Take the person's answer, once; return whether the device still waited for it."""
    mine = (DeviceRow.id == device.id, DeviceRow.state == WAITING, DeviceRow.expires_at > now())
    changed = update(DeviceRow).where(*mine).values(state=ALLOWED if allows else DENIED)
    result = db.session.execute(changed)
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        return False
    if allows:
        asked = scopes.split(device.scopes)
        consents.give(visitor.user_id, client, asked, caller)
        grant_id = grants.begin_without_code(client, _basis(visitor, asked), caller)
        db.session.execute(
            update(DeviceRow).where(DeviceRow.id == device.id).values(grant_id=grant_id)
        )
    log.info("device_answered", client=client.id, user=visitor.user_id, allows=allows)
    return True


def _basis(visitor: Visitor, asked: tuple[str, ...]) -> Basis:
    return Basis(
        user_id=visitor.user_id,
        identity_id=visitor.identity_id,
        sid=visitor.sid,
        provider=visitor.provider,
        auth_time=visitor.auth_time,
        scopes=asked,
        redirect_uri="",
    )


@atomic
def poll(use: Use, device_code: str) -> Issued | Refused:
    """Answer a device that asks whether its person has (RFC 8628 3.5)."""
    query = select(*_COLUMNS).where(
        DeviceRow.id == hash_token(device_code), DeviceRow.client_id == use.client.id
    )
    row = db.session.execute(query.with_for_update()).one_or_none()
    device = Device(*row) if row else None
    if device is None:
        return Refused("device_unknown")
    if device.expires_at <= now():
        return Refused("device_expired")
    if device.state == WAITING:
        return _ask_again(device)
    db.session.execute(delete(DeviceRow).where(DeviceRow.id == device.id))
    grant = grants.find(device.grant_id) if device.grant_id else None
    if device.state == DENIED or grant is None:
        return Refused("device_denied")
    if reason := grants.fault_of(grant, use.client, use.admission):
        return Refused("grant_ended", reason)
    if use.client.is_public and use.jkt is not None:
        grants.bind(grant.id, use.jkt)
    return issue(use, grant, grant.scope_list, 0)


def _ask_again(device: Device) -> Refused:
    """RFC 8628 3.5: a device that asks too often waits five seconds longer from then on."""
    earliest = now() - timedelta(seconds=device.interval)
    is_early = device.polled_at is not None and device.polled_at > earliest
    interval = device.interval + (INTERVAL_SECONDS if is_early else 0)
    polled = update(DeviceRow).where(DeviceRow.id == device.id)
    db.session.execute(polled.values(polled_at=now(), interval=interval))
    return Refused("device_slow_down" if is_early else "device_pending")


def expired() -> Select[str]:
    """Select the ids of devices that nobody answered in time, an hour ago."""
    return select(DeviceRow.id).where(DeviceRow.expires_at < now() - timedelta(hours=1))


@atomic
def purge(ids: Sequence[str]) -> None:
    """Delete expired devices, by id."""
    db.session.execute(delete(DeviceRow).where(DeviceRow.id.in_(ids)))
