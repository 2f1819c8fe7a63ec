"""The names of the kinds of mail, as the operator reads them."""

from notices.mails import MailKind

LABELS: dict[str, str] = {
    MailKind.NEW_DEVICE: "New device",
    MailKind.IDENTITY_LINKED: "Provider connected",
    MailKind.IDENTITY_REMOVED: "Provider removed",
    MailKind.CONNECTED_TO_APP: "Application connected",
    MailKind.MERGED: "Accounts merged",
    MailKind.EMAIL_CHANGED: "Address changed",
    MailKind.DOWNLOADED: "Data downloaded",
    MailKind.DELETION_PLANNED: "Deletion planned",
    MailKind.DELETED: "Account deleted",
    MailKind.PROVIDER_TOOK_BACK: "Permission taken back",
    MailKind.PROVIDER_SUSPENDED: "Provider suspended",
    MailKind.PROVIDER_REMOVED: "Account at the provider gone",
    MailKind.INVITED: "Invitation",
    MailKind.APPROVED: "Approval",
    MailKind.WAITING: "Waiting for approval",
    MailKind.SIGN_IN_AGAIN: "Please sign in again",
    MailKind.MERGE_HELP: "Two accounts",
    MailKind.MORE_HAPPENED: "More happened",
    MailKind.WEBHOOK_OFF: "Webhook turned off",
    MailKind.TEST: "Test",
}


def mail_label(kind: str) -> str:
    """Return the name of a kind; of one that only a later release knows, the kind itself."""
    return LABELS.get(kind, kind)
