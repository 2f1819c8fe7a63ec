"""The words of the administrators' log, by act."""

from accounts.admin_log import Act
from accounts.models import AdminAct

ACTS: dict[str, str] = {
    Act.ADMIN_MADE: "made an administrator",
    Act.ADMIN_UNMADE: "took the right to administer from",
    Act.LINK_MADE: "made a link for a new administrator",
    Act.DISABLED: "disabled",
    Act.ENABLED: "enabled",
    Act.DELETED: "deleted",
    Act.APPROVED: "approved",
    Act.REJECTED: "rejected",
    Act.EXPORTED: "exported the data of",
    Act.SESSION_ENDED: "ended a session of",
    Act.SESSIONS_ENDED: "ended all sessions ({detail}) of",
    Act.IDENTITY_REMOVED: "removed a sign-in method ({detail}) from",
    Act.IDENTITY_MOVED: "moved a sign-in method to",
    Act.SUSPENSION_LIFTED: "lifted the suspension of a sign-in method ({detail}) of",
    Act.HOLD_RELEASED: "released the hold on",
    Act.KEPT: "called off the deletion of",
    Act.SIGN_IN_ASKED: "asked by mail to sign in again:",
    Act.MERGE_OFFERED: "told by mail how two accounts become one:",
    Act.GROUP_JOINED: "added to the group {detail}:",
    Act.GROUP_LEFT: "removed from the group {detail}:",
    Act.CLIENT_ADDED: "registered the application",
    Act.CLIENT_CHANGED: "changed ({detail}) the application",
    Act.CLIENT_SECRET: "made another secret for the application",
    Act.CLIENT_DISABLED: "disabled the application",
    Act.CLIENT_ENABLED: "enabled the application",
    Act.CLIENT_REMOVED: "deleted the application",
    Act.OUTBOX_RETRIED: "had {detail} tried again of the outbox",
    Act.INVITATION_ADDED: "made the invitation",
    Act.INVITATION_REMOVED: "withdrew the invitation",
    Act.GATE_ADDED: "added the gate",
    Act.GATE_CHANGED: "changed who may pass ({detail}) the gate",
    Act.GATE_REMOVED: "removed the gate",
    Act.RESOURCE_ADDED: "registered the API",
    Act.RESOURCE_REMOVED: "removed the API",
    Act.WEBHOOK_ADDED: "added the webhook",
    Act.WEBHOOK_SECRET: "made another secret for the webhook",
    Act.WEBHOOK_ENABLED: "enabled the webhook",
    Act.WEBHOOK_REMOVED: "removed the webhook",
    Act.WEBHOOK_REPLAYED: "had sent again to webhooks:",
    Act.KEYS_ROTATED: "rotated the signing keys; the next are",
    Act.KEY_WITHDRAWN: "withdrew the signing key",
}
# A kind that this release does not know: an instance of a later release may have written it.
OTHER = "did something else to"


def act_words(row: AdminAct) -> str:
    """Return what an administrator did; the person or thing follows."""
    return ACTS.get(row.act, OTHER).format(detail=row.detail)
