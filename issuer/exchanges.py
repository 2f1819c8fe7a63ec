"""Exchanges: codes and refresh tokens, spent for new tokens (RFC 6749 4.1.3 and 6).

Each is spent by one conditional UPDATE, so of any number of concurrent uses one wins, on every
instance.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy import bindparam, update

from accounts import activity
from accounts.activity import Caller, EventKind
from accounts.admission import Admission
from accounts.sessions import hash_token
from issuer import access_tokens, grants, logouts, refresh_tokens, resources
from issuer.clients import REFRESH, Client
from issuer.faults import Refused
from issuer.grants import Grant
from issuer.models import GrantRow
from issuer.refresh_tokens import Presented
from storage import atomic, now
from storage.compiled import CompiledStatement

log = structlog.get_logger()


@dataclass(frozen=True)
class Use:
    """The user of a code or a refresh token.

    ``jkt``: the key that the request proved to hold (RFC 9449). ``resource``: the API that it
    names (RFC 8707).
    """

    client: Client
    admission: Admission
    caller: Caller
    jkt: str | None = None
    resource: str | None = None


@dataclass(frozen=True)
class Issued:
    """The tokens of one answer, before the ID token is signed."""

    grant: Grant
    scopes: tuple[str, ...]
    # For a resource the id of the JWT that is to be signed.
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    jkt: str | None = None


_USE_CODE = CompiledStatement(
    update(GrantRow)
    .where(
        GrantRow.code_hash == bindparam("hashed"),
        GrantRow.client_id == bindparam("client"),
        GrantRow.code_used_at.is_(None),
        GrantRow.code_expires_at > bindparam("moment"),
        GrantRow.ended_at.is_(None),
    )
    .values(code_used_at=bindparam("moment"), last_used_at=bindparam("moment"))
)
_ROTATE = CompiledStatement(
    update(GrantRow)
    .where(
        GrantRow.id == bindparam("grant_id"),
        GrantRow.generation == bindparam("seen"),
        GrantRow.ended_at.is_(None),
    )
    .values(
        generation=bindparam("next_generation"),
        rotated_at=bindparam("moment"),
        last_used_at=bindparam("moment"),
        idle_until=bindparam("idle"),
    )
)


@atomic
def exchange(
    use: Use, code: str, redirect_uri: str | None, verifier: str | None
) -> Issued | Refused:
    """Exchange a code for tokens, once. A replay ends the grant with all its tokens (RFC 6749
    4.1.2), and so does a wrong verifier."""
    client = use.client
    hashed = hash_token(code)
    is_ours = _USE_CODE.run(hashed=hashed, client=client.id, moment=now())
    grant = grants.find_by_code(hashed)
    if not is_ours:
        return _refuse_code(client, grant, use.caller)
    assert grant is not None
    for check in (_redirect_uri_is_same, _verifier_matches):
        if name := check(grant, redirect_uri, verifier):
            grants.end(grant.id, name)
            return Refused(name)
    if grant.jkt not in (None, use.jkt):
        return Refused("key_wrong")
    if use.resource not in (None, grant.resource):
        return Refused("resource_unknown")
    if reason := grants.fault_of(grant, client, use.admission):
        return Refused("grant_ended", reason)
    if client.is_public and use.jkt is not None:
        grants.bind(grant.id, use.jkt)
    return issue(use, grant, grant.scope_list, 0)


def _refuse_code(client: Client, grant: Grant | None, caller: Caller) -> Refused:
    if grant is None or grant.client_id != client.id:
        return Refused("code_unknown")
    if grant.code_used_at is None:
        return Refused("code_unknown", "expired, or its grant has ended")
    if grant.ended_at is None:
        _report_theft(client, grant, "code_reused", caller)
    return Refused("code_used")


def _redirect_uri_is_same(
    grant: Grant, redirect_uri: str | None, _verifier: str | None
) -> str | None:
    return None if redirect_uri == grant.redirect_uri else "code_redirect_uri"


def _verifier_matches(grant: Grant, _redirect_uri: str | None, verifier: str | None) -> str | None:
    """RFC 7636 4.6, RFC 9700 4.8."""
    if grant.challenge is None:
        return None if verifier is None else "verifier_unexpected"
    if verifier is None:
        return "verifier_missing"
    digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return None if hmac.compare_digest(made, grant.challenge) else "verifier_wrong"


def issue(use: Use, grant: Grant, granted: tuple[str, ...], generation: int) -> Issued:
    """Make the tokens of one answer, for what the client may still have. Call within the atomic
    verb."""
    client = use.client
    granted = resources.scopes_now(client, granted, grant.resource)
    access_token = access_tokens.add(client, grant.id, granted, use.jkt, grant.resource)
    refresh_token = None
    if client.may_use(REFRESH):
        refresh_token = refresh_tokens.make(grant.id, generation, grant.salt)
    return Issued(grant, granted, access_token, refresh_token, use.jkt)


@atomic
def refresh(use: Use, presented: Presented, asked: tuple[str, ...] | None) -> Issued | Refused:
    """Give the successor of a refresh token, with a new access token (RFC 6749 6).

    A client that lost the answer may repeat its request for a while and gets the same successor.
    A token of an earlier generation was stolen, or its successor was: the grant ends.
    """
    grant = grants.find(presented.grant_id)
    for check in REFRESH_CHECKS:
        if refused := check(use, presented, grant):
            return refused
    assert grant is not None
    standing = resources.scopes_now(use.client, grant.scope_list, grant.resource)
    granted = standing if asked is None else asked
    if not set(granted) <= set(standing):
        return Refused("scope_wider")
    if _rotate(use.client, grant, presented.generation):
        return issue(use, grant, granted, presented.generation + 1)
    return _refresh_again(use, presented, granted)


def _is_ours(use: Use, presented: Presented, grant: Grant | None) -> Refused | None:
    if grant is None or grant.client_id != use.client.id:
        return Refused("refresh_unknown")
    if not refresh_tokens.is_genuine(presented, grant.salt):
        return Refused("refresh_unknown", "its signature is wrong")
    return None


def _is_of_this_key(use: Use, _presented: Presented, grant: Grant | None) -> Refused | None:
    is_same = grant is not None and grant.jkt in (None, use.jkt)
    return None if is_same else Refused("refresh_unknown", "it is bound to another key")


def _can_go_on(use: Use, _presented: Presented, grant: Grant | None) -> Refused | None:
    assert grant is not None
    if use.resource not in (None, grant.resource):
        return Refused("resource_unknown")
    reason = grants.fault_of(grant, use.client, use.admission)
    return Refused("grant_ended", reason) if reason else None


REFRESH_CHECKS = (_is_ours, _is_of_this_key, _can_go_on)


def _rotate(client: Client, grant: Grant, generation: int) -> bool:
    """Spend a generation; return whether this request was the one that did.

    A generation higher than the row's means that the database was restored from a copy: the client
    is ahead of it.
    """
    if generation < grant.generation:
        return False
    moment = now()
    changed = _ROTATE.run(
        grant_id=grant.id,
        seen=grant.generation,
        next_generation=generation + 1,
        moment=moment,
        idle=moment + timedelta(days=client.idle_days),
    )
    return changed == 1


def _refresh_again(use: Use, presented: Presented, granted: tuple[str, ...]) -> Issued | Refused:
    """Answer for a generation that was spent: the same successor for a while, or the end."""
    client = use.client
    grant = grants.find(presented.grant_id)
    if grant is None or grant.ended_at is not None:
        return Refused("grant_ended")
    is_latest = presented.generation == grant.generation - 1
    since = now() - timedelta(seconds=client.grace_seconds)
    if is_latest and grant.rotated_at is not None and grant.rotated_at > since:
        log.info("refresh_repeated", client=client.id, grant=grant.id)
        return issue(use, grant, granted, grant.generation)
    _report_theft(client, grant, "refresh_reused", use.caller)
    return Refused("refresh_reused")


def _report_theft(client: Client, grant: Grant, reason: str, caller: Caller) -> None:
    """End a grant whose code or token is in two hands, and tell its person and its client."""
    grants.end(grant.id, reason)
    log.warning("grant_reused", reason=reason, client=client.id, grant=grant.id)
    activity.record(
        grant.user_id, EventKind.APP_REUSED, caller, reason=reason, detail=client.shown_name
    )
    logouts.plan(client, grant.user_id, grant.sid)
