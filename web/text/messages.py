"""Messages of the next page after an act, by code; and messages that apps may show."""

MESSAGES = {
    "account_merged": "Accounts merged.",
    "already_connected": "You've already connected this {provider} account.",
    "connected": "{provider} connected. You can now sign in with it.",
    "device_signed_out": "Signed out of {device}.",
    "ended_with_it": "Other devices signed in with it were signed out ({number}).",
    "others_signed_out": "Signed out of {sessions}.",
    "account_disabled": "The account is disabled. Sessions ended: {number}.",
    "account_enabled": "The account is enabled again.",
    "account_deleted": "The account was deleted.",
    "account_approved": "The account is approved. Its person is let in from now on.",
    "account_rejected": "The account was rejected, and deleted.",
    "suspension_lifted": "{provider} opens this account again.",
    "hold_released": "The hold is released: the account can be changed again.",
    "account_kept": "The account is kept: it will not be deleted.",
    "nothing_to_undo": "Nothing was changed: this was over already.",
    "sign_in_asked": "A mail asks this person to sign in again.",
    "merge_offered": "Mails to both tell how the accounts become one. Nothing is changed so far.",
    "nobody_told": "Nothing was sent: this person has no verified address that takes mail.",
    "other_account": "Nothing was sent: write the ID of another account.",
    "not_waiting": "Nothing was changed: this account does not wait for approval.",
    "sessions_ended": "Sessions ended: {number}.",
    "group_joined": "Added to the group {group}.",
    "invitation_removed": "The invitation is withdrawn: its link opens no account any more.",
    "invitation_email": "This must be one email address, or nothing.",
    "invitation_uses": "This must be a number from 1 to 10000.",
    "invitation_days": "This must be a number from 1 to 365.",
    "gate_changed": "Who may pass {gate} is changed, from the next request on.",
    "group_left": "Removed from the group {group}.",
    "group_name": "A group's name has 1 to 64 of the characters a-z, 0-9, _ and -.",
    "only_admin": (
        "Nothing was changed: this is the last administrator. Make somebody else one first."
    ),
    "only_way_in": "Nothing was changed: this is the only way to sign in to this account.",
    "admin_made": "You are an administrator of this site.",
    "admin_unmade": "This person is no longer an administrator.",
    "hold_ended": "Changes to your account are possible again.",
    "profile_saved": "Profile saved.",
    "refreshed": "Read again from {provider}.",
    "client_disabled": "{app} is disabled.",
    "client_enabled": "{app} is enabled.",
    "outbox_retried": "Being tried again now: {number}.",
    "app_removed": "{app} has no access any more.",
    "removed": "{provider} removed.",
    "removed_this": "{provider} removed. You stay signed in on this device.",
    "signed_out": "You may still be signed in to {provider}.",
    "not_set_up": "The person running this server needs to add a sign-in provider.",
    # Why a profile could not be refreshed, by the error's code.
    "grant_ended": (
        "{provider} doesn't let us read this any more. Sign in again with {provider} to renew that."
    ),
    "provider_down": "{provider} isn't answering. Nothing was changed. Try again in a minute.",
    "wrong_account": (
        "{provider} answered about another account. Nothing was changed. Reference {ref}."
    ),
    "provider_error": (
        "{provider} gave an answer we couldn't use. Nothing was changed. Reference {ref}."
    ),
    # Why an app's sign-in has to continue in a browser.
    "needs_proof": (
        "An account has this email address. Sign in the way you did before, or at {place} "
        "to connect this one."
    ),
    # Why the API does not know who asks.
    "sign_in_first": "Sign in first.",
    "several_sessions": (
        "Several session cookies came, and none of them is the one that this browser began with. "
        "Sign in again, or send one."
    ),
    # For visitors from elsewhere, on a server in an unsafe mode.
    "demo_elsewhere": "Demo mode answers this machine only.",
    "emulator_elsewhere": ("A server that trusts Firebase's emulator answers this machine only."),
}


def message(code: str, **values: str) -> str:
    """Return a message with its placeholders filled in, as plain text."""
    return MESSAGES[code].format(**values)


def refresh_failure(code: str, **values: str) -> str:
    """Return why a profile could not be refreshed, by the error's code."""
    known = code if code in ("grant_ended", "provider_down", "wrong_account") else "provider_error"
    return message(known, **values)
