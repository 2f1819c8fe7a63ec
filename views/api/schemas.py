"""The models of requests and responses: they check requests, build responses, and are the schemas
of the OpenAPI document. API clients' authors read their texts.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from providers import PROVIDERS
from providers.profile import NAME_MAX_CHARACTERS
from views.api.paging import CURSOR_FORMAT, Position, decode_cursor

PAGE_SIZE = 50
PAGE_SIZE_MAX = 100
EXAMPLE_ID = "5f0c1d8f4c0b4a6e9a7d2b3c4d5e6f70"
RETURN_TO_FORMAT = "return-to"
EXAMPLE_TIME = "2026-11-03T14:05:00Z"
EXAMPLE_PROVIDER = next(iter(PROVIDERS))
EXAMPLE_LABEL = PROVIDERS[EXAMPLE_PROVIDER].label


def iso(moment: datetime) -> str:
    """A time in UTC to the second (RFC 3339)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def decode_limit(value: object) -> object:
    """Return digits as they are. Raises ValueError for what Python takes for a number too."""
    if isinstance(value, str) and not re.fullmatch("[0-9]+", value):
        raise ValueError("is not a whole number")
    return value


Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE_TIME]}),
]
Id = Annotated[str, Field(description="An opaque id.", examples=[EXAMPLE_ID])]
Cursor = Annotated[
    Position | None,
    BeforeValidator(decode_cursor),
    WithJsonSchema({"type": "string", "format": CURSOR_FORMAT}),
]
ReturnTo = Annotated[str | None, WithJsonSchema({"type": "string", "format": RETURN_TO_FORMAT})]


class Schema(BaseModel):
    """A response; may be built from a row with the same field names."""

    model_config = ConfigDict(from_attributes=True)


class Request(BaseModel):
    """A request; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Identity(Schema):
    """A way to sign in: one person at one provider."""

    id: Id
    provider: str = Field(
        description="The provider's name in settings.", examples=[EXAMPLE_PROVIDER]
    )
    subject: str = Field(
        description="The provider's own id of the person; it never changes.",
        examples=["110169484474386276334"],
    )
    email: str | None = Field(examples=["ada@gmail.com"])
    email_verified: bool = Field(description="Whether the provider vouches for the address.")
    linked_at: Moment
    last_used_at: Moment


class Me(Schema):
    """The signed-in person."""

    id: Id
    name: str | None = Field(examples=["Ada Lovelace"])
    email: str | None = Field(
        description=(
            "The address of the identity that the person chose; otherwise of one of them, a "
            "verified one before others."
        ),
        examples=["ada@gmail.com"],
    )
    email_verified: bool
    picture: str | None = Field(
        description="An https URL at the provider.", examples=["https://example.com/ada.jpg"]
    )
    created_at: Moment
    groups: list[str] = Field(
        description="The names of the person's groups, in order.", examples=[["engineers"]]
    )
    roles: list[str] = Field(
        description="The names of the roles that the operator's rules give, in order.",
        examples=[["admin"]],
    )
    identities: list[Identity]


class NameChange(Request):
    """The fields that people may change of themselves."""

    name: str | None = Field(
        max_length=NAME_MAX_CHARACTERS,
        description=(
            "What to be called. Control characters and doubled white space are taken out. "
            "null, or a text of which nothing is left, takes the name away."
        ),
        examples=["Ada Lovelace"],
    )


class Session(Schema):
    """A browser or device where the person is signed in."""

    id: Id
    current: bool = Field(description="Whether this request came with it.", examples=[True])
    provider: str = Field(description="What it was signed in with.", examples=[EXAMPLE_PROVIDER])
    device: str = Field(
        description="Browser and system, guessed from the User-Agent.",
        examples=["Firefox on Windows"],
    )
    ip_address: str = Field(description="Where it was last seen.", examples=["192.0.2.1"])
    created_at: Moment
    authenticated_at: Moment = Field(description="When the person last authenticated.")
    last_seen_at: Moment = Field(description="To the minute.")
    expires_at: Moment = Field(
        description="When it ends at the latest; 14 days without use end it too."
    )


class IdentityList(Schema):
    """One page of identities, oldest first."""

    items: list[Identity]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


class SessionList(Schema):
    """One page of sessions, newest first."""

    items: list[Session]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


class Provider(Schema):
    """A provider to sign in with."""

    name: str = Field(description="Its name in settings.", examples=[EXAMPLE_PROVIDER])
    label: str = Field(description="Its name for people.", examples=[EXAMPLE_LABEL])
    url: str = Field(
        description="Where a browser goes to sign in.",
        examples=[f"https://login.example.org/login/{EXAMPLE_PROVIDER}"],
    )


class ProvidersQuery(Request):
    """Where to go after signing in."""

    return_to: ReturnTo = Field(
        default=None,
        description=(
            "The page to come back to: a path of this site, or a URL of an origin that is "
            "registered here (CORS_ORIGINS). It is filled into each url."
        ),
        examples=["/account"],
    )


class ProviderList(Schema):
    """The providers that are configured, on one page."""

    items: list[Provider]
    next_cursor: str | None = Field(description="Always null.", examples=[None])


class Event(Schema):
    """An event of the account."""

    id: Id
    at: Moment
    kind: str = Field(description="The kind, for programs.", examples=["signed_in"])
    text: str = Field(
        description="The event in a sentence.", examples=[f"Signed in with {EXAMPLE_LABEL}"]
    )
    reason: str | None = Field(
        description="The code of a refusal, or the reason of a decision.",
        examples=["identity_known"],
    )
    provider: str | None = Field(examples=[EXAMPLE_PROVIDER])
    device: str = Field(
        description="Browser and system, guessed from the User-Agent.",
        examples=["Firefox on Windows"],
    )
    ip_address: str = Field(description="Where the request came from.", examples=["192.0.2.1"])
    request_id: str = Field(
        description="The reference of the request in the server's log.", examples=["7K3M-Q9TD"]
    )


class EventList(Schema):
    """One page of events, newest first."""

    items: list[Event]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


class App(Schema):
    """An application that the person signs in to."""

    id: Id
    name: str = Field(examples=["Notes"])
    scopes: list[str] = Field(description="What it may do.", examples=[["openid", "profile"]])
    since: Moment
    last_used_at: Moment


class AppList(Schema):
    """One page of applications, newest first."""

    items: list[App]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


class PageQuery(Request):
    """The requested page of a list."""

    limit: Annotated[int, BeforeValidator(decode_limit)] = Field(
        default=PAGE_SIZE, ge=1, le=PAGE_SIZE_MAX, description="How many items at most."
    )
    cursor: Cursor = Field(default=None, description="The next_cursor of the page before.")


def read_only_fields() -> set[str]:
    """Return the fields of a person that can be read but not written."""
    return set(Me.model_fields) - set(NameChange.model_fields)


def of_rows(schema: type[Any], rows: Any) -> list[Any]:
    return [schema.model_validate(row) for row in rows]
