"""The models of the export: as accounts/export.py builds it, for the OpenAPI document."""

from pydantic import Field

from views.api.schemas import EXAMPLE_ID, EXAMPLE_PROVIDER, Id, Moment, Schema


class ExportedProfile(Schema):
    """The profile."""

    id: Id
    name: str | None = Field(examples=["Ada Lovelace"])
    email: str | None = Field(examples=["ada@gmail.com"])
    email_verified: bool
    picture: str | None = Field(examples=["https://example.com/ada.jpg"])
    created_at: Moment


class ExportedIdentity(Schema):
    """An identity, with what its provider shared."""

    id: Id
    provider: str = Field(examples=[EXAMPLE_PROVIDER])
    issuer: str = Field(examples=["https://accounts.google.com"])
    subject: str = Field(examples=["110169484474386276334"])
    email: str | None = Field(examples=["ada@gmail.com"])
    email_verified: bool
    email_not_shared_since: Moment | None = Field(
        description="Since when the provider has not repeated the address."
    )
    name: str | None = Field(examples=["Ada Lovelace"])
    username: str | None = Field(examples=["ada"])
    picture: str | None = Field(examples=["https://example.com/ada.jpg"])
    scopes: list[str] = Field(examples=[["openid", "email", "profile"]])
    linked_at: Moment
    last_used_at: Moment
    read_at: Moment | None = Field(description="When the provider's facts were last read.")


class ExportedAccess(Schema):
    """The result of a rule of the site for an identity."""

    identity_id: Id
    rule: str = Field(examples=["github.org=acme"])
    standing: str = Field(
        examples=["met"],
        description="met, not_met, needs_consent, grant_ended or unknown.",
    )
    checked_at: Moment


class ExportedSession(Schema):
    """A session."""

    id: Id
    provider: str = Field(examples=[EXAMPLE_PROVIDER])
    address: str = Field(examples=["192.0.2.1"])
    user_agent: str = Field(examples=["Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0"])
    created_at: Moment
    authenticated_at: Moment
    last_seen_at: Moment
    expires_at: Moment


class ExportedEvent(Schema):
    """An event of the activity."""

    at: Moment
    kind: str = Field(examples=["signed_in"])
    reason: str = Field(examples=["identity_known"])
    provider: str = Field(examples=[EXAMPLE_PROVIDER])
    detail: str = Field(examples=[""])
    address: str = Field(examples=["192.0.2.1"])
    user_agent: str = Field(examples=["Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0"])
    reference: str = Field(examples=["7K3M-Q9TD"])
    administrator: str | None = Field(
        description="The name of the administrator who did it.", examples=["Ada Lovelace"]
    )


class ExportedApp(Schema):
    """An application that the person signs in to."""

    client_id: str = Field(examples=[EXAMPLE_ID])
    name: str = Field(examples=["Notes"])
    scopes: list[str] = Field(examples=[["openid", "profile"]])
    resources: list[str] = Field(
        description="The APIs that it may use.", examples=[["https://api.example.org"]]
    )
    since: Moment
    last_used_at: Moment


class ExportedAppGrant(Schema):
    """One sign-in to an application, as long as it is stored: a month after it ended."""

    app: str = Field(examples=["Notes"])
    scopes: list[str] = Field(examples=[["openid", "profile"]])
    resource: str | None = Field(examples=["https://api.example.org"])
    provider: str = Field(examples=[EXAMPLE_PROVIDER])
    offline: bool = Field(description="Whether it works while the person is signed out.")
    created_at: Moment
    last_used_at: Moment
    ended_at: Moment | None
    address: str = Field(examples=["192.0.2.1"])
    user_agent: str = Field(examples=["Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0"])


class Export(Schema):
    """Everything that is stored about a person. It holds no token. Fields may be added."""

    exported_at: Moment
    profile: ExportedProfile
    identities: list[ExportedIdentity]
    groups: list[str] = Field(examples=[["engineers"]])
    roles: list[str] = Field(examples=[["admin"]])
    access: list[ExportedAccess]
    sessions: list[ExportedSession]
    activity: list[ExportedEvent]
    apps: list[ExportedApp]
    app_grants: list[ExportedAppGrant]
