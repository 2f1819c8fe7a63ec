"""The models of the administrators' API."""

from pydantic import Field

from accounts.filters import Only
from views.api.schemas import (
    EXAMPLE_ID,
    EXAMPLE_PROVIDER,
    Event,
    Id,
    Identity,
    Moment,
    PageQuery,
    Schema,
)

NEXT = "Where the next page begins; null on the last."


class UserIdentity(Identity):
    """A way to sign in of a person, as an administrator sees it."""

    suspended_at: Moment | None = Field(description="Since when it opens nothing; null: it does.")


class User(Schema):
    """A person, as an administrator sees them."""

    id: Id
    name: str | None = Field(examples=["Ada Lovelace"])
    email: str | None = Field(examples=["ada@gmail.com"])
    email_verified: bool
    created_at: Moment
    disabled_at: Moment | None = Field(description="null: the account is enabled.")
    pending_at: Moment | None = Field(description="Since when it waits for approval; null: no.")
    held_at: Moment | None = Field(description="Since when its changes wait; null: no.")
    delete_due_at: Moment | None = Field(
        description="When it is deleted, as nothing opens it any more; null: never."
    )
    is_admin: bool = Field(description="Whether the person administers this site.")
    groups: list[str] = Field(examples=[["engineers"]])
    identities: list[UserIdentity]


class UserList(Schema):
    """One page of people, newest account first."""

    items: list[User]
    next_cursor: str | None = Field(description=NEXT)


class UsersQuery(PageQuery):
    """The people who are looked for."""

    q: str = Field(
        default="",
        description="An id, provider:subject or an email address, each complete; or a part of "
        "the name.",
        examples=["ada@gmail.com"],
    )
    only: Only = Field(
        default="",
        description="Only such people. stranded: without a usable way to sign in; this "
        "reads every account, which takes seconds among a million.",
    )


class AccessRule(Schema):
    """The result of one rule of access for an identity."""

    rule: str = Field(examples=["github.org=acme"])
    standing: str = Field(description="met, not_met, needs_consent or unknown.", examples=["met"])
    counts: bool = Field(
        description="Whether it lets the person in, perhaps for now only, while the provider "
        "cannot be asked."
    )
    detail: str
    checked_at: Moment | None
    failing_since: Moment | None


class AccessOfIdentity(Schema):
    """The results of the rules that are about an identity."""

    identity_id: Id
    provider: str = Field(examples=[EXAMPLE_PROVIDER])
    usable: bool = Field(description="false: its provider is off.")
    rules: list[AccessRule]


class Access(Schema):
    """Why the rules of ACCESS_FILE let a person in, or do not."""

    is_in: bool
    denied: str | None = Field(
        description="The entry that keeps the person out; null: none.", examples=[None]
    )
    roles: list[str] = Field(examples=[["editor"]])
    identities: list[AccessOfIdentity]


class UserSession(Schema):
    """A session of a person."""

    id: Id
    provider: str
    device: str = Field(examples=["Firefox on Windows"])
    ip_address: str = Field(examples=["192.0.2.1"])
    created_at: Moment
    authenticated_at: Moment
    last_seen_at: Moment
    expires_at: Moment


class UserSessionList(Schema):
    """All sessions of a person."""

    items: list[UserSession]
    next_cursor: str | None = Field(description="Always null.", examples=[None])


class UserEvent(Event):
    """An event of an account, and whose it is."""

    user_id: Id


class UserEventList(Schema):
    """One page of events, newest first."""

    items: list[UserEvent]
    next_cursor: str | None = Field(description=NEXT)


class EventsQuery(PageQuery):
    """The events that are looked for."""

    kind: str = Field(default="", max_length=32, description="Their kind.", examples=["signed_in"])
    provider: str = Field(default="", max_length=64, description="A provider's name in settings.")
    reference: str = Field(
        default="",
        max_length=16,
        description="The reference of an error page.",
        examples=["7K3M-Q9TD"],
    )


class Act(Schema):
    """An act of an administrator."""

    id: Id
    at: Moment
    act: str = Field(examples=["account_disabled"])
    admin_id: str | None = Field(
        description="The person or application that did it; null: the command line.",
        examples=[EXAMPLE_ID],
    )
    admin_name: str
    user_id: str | None = Field(description="Whom it was done to.", examples=[EXAMPLE_ID])
    target: str = Field(description="What it was done to, if not to a person.")
    detail: str
    address: str
    reference: str


class ActList(Schema):
    """One page of acts, newest first."""

    items: list[Act]
    next_cursor: str | None = Field(description=NEXT)


class Application(Schema):
    """An application that signs people in here."""

    id: Id
    client_id: str
    name: str = Field(examples=["Notes"])
    redirect_uris: list[str]
    scopes: list[str]
    allow: list[str] = Field(description="Rules of who may use it; empty: as APPS_DEFAULT says.")
    is_public: bool
    is_first_party: bool
    created_at: Moment
    disabled_at: Moment | None = Field(description="null: it is enabled.")


class ApplicationList(Schema):
    """All applications, the oldest first."""

    items: list[Application]
    next_cursor: str | None = Field(description="Always null.", examples=[None])


class Outbox(Schema):
    """The messages that wait to be sent to providers, applications or people."""

    name: str = Field(examples=["revocations"])
    waiting: int
    oldest_seconds: int = Field(description="The age of the oldest row; 0 if none waits.")


class OutboxList(Schema):
    """All outboxes."""

    items: list[Outbox]
    next_cursor: str | None = Field(description="Always null.", examples=[None])


class Retried(Schema):
    """The number of messages that are tried again."""

    number: int
