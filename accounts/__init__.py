"""People, their identities, flows, sessions and activity; this room is the only writer of any of
them.

A verb is one transaction: it reads the facts, asks ``rules``, and carries out the decision. The
room gives out identities as values (``models.Identity``); their rows do not leave it. It imports
models, storage, jobs, access, vault and providers; never Flask's request, a view or a page. Start
reading at ``signing_in``, then ``rules``.
"""

from accounts.approval import approve, reject
from accounts.choices import choose_email, choose_picture, rename
from accounts.export import download
from accounts.identities import of_user as identities_of
from accounts.identities import owner_of, recognise
from accounts.lifecycle import Deleted, delete, disable, enable
from accounts.linking import connect, link, others_usable, providers_of, unlink
from accounts.membership import join_group, leave_group
from accounts.merging import address_after, merge
from accounts.moving import move_identity
from accounts.profile_refresh import refresh_profile
from accounts.signing_in import SignIn, reauthenticate, sign_in, sign_in_preview
from accounts.signing_out import end_other_sessions, end_session, sign_out

__all__ = [
    "Deleted",
    "SignIn",
    "address_after",
    "approve",
    "choose_email",
    "choose_picture",
    "connect",
    "delete",
    "disable",
    "download",
    "enable",
    "end_other_sessions",
    "end_session",
    "identities_of",
    "join_group",
    "leave_group",
    "link",
    "merge",
    "move_identity",
    "others_usable",
    "owner_of",
    "providers_of",
    "reauthenticate",
    "recognise",
    "refresh_profile",
    "reject",
    "rename",
    "sign_in",
    "sign_in_preview",
    "sign_out",
    "unlink",
]
