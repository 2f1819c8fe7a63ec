"""People, their identities, flows, sessions and activity; this room is the only writer of any of
them.

A verb is one transaction: it reads the facts, asks ``rules``, and carries out the decision. The
room imports models, storage, jobs, vault and providers; never Flask's request, a view or a page.
Start reading at ``verbs``, then ``rules``.
"""

from accounts.verbs import (
    Deleted,
    SignIn,
    choose_email,
    choose_picture,
    confirm,
    connect,
    delete,
    identities_of,
    link,
    merge,
    others_usable,
    owner_of,
    providers_of,
    rename,
    sign_in,
    sign_in_preview,
    switch,
    unlink,
)

__all__ = [
    "Deleted",
    "SignIn",
    "choose_email",
    "choose_picture",
    "confirm",
    "connect",
    "delete",
    "identities_of",
    "link",
    "merge",
    "others_usable",
    "owner_of",
    "providers_of",
    "rename",
    "sign_in",
    "sign_in_preview",
    "switch",
    "unlink",
]
