"""Whether our signing keys can sign, for probes and the doctor. Makes nothing."""

from sqlalchemy import exists, select

from issuer import scopes, signing_keys
from issuer.models import GrantRow
from issuer.signing_keys import KeyUnreadable
from keys.signing import ALGORITHMS
from storage import db

UNREADABLE = "cannot be opened with the configured keys"
NONE_SIGNS = "none signs now, for {}; was the clock set back?"
GONE = "there is none any more; applications refuse what the earlier ones signed"


def fault() -> str | None:
    """Return why no token can be signed, or those that were signed cannot be verified. None if all
    is well, also where nobody has asked for a key yet: the first request makes one."""
    found = signing_keys.every()
    if not found:
        return GONE if _has_signed() else None
    known = {key.alg for key in found}
    current = {key.alg for key in found if key.state == "current"}
    if mute := [alg for alg in ALGORITHMS if alg in known - current]:
        return NONE_SIGNS.format(", ".join(mute))
    try:
        signing_keys.check_current()
    except KeyUnreadable:
        return UNREADABLE
    return None


def _has_signed() -> bool:
    """Tell whether ID tokens were issued."""
    issued = exists().where(
        GrantRow.code_used_at.is_not(None), GrantRow.scopes.contains(scopes.OPENID)
    )
    return bool(db.session.scalar(select(issued)))
