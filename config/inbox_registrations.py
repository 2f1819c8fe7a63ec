"""The variables by which each provider proves what it reports to `/inbox/NAME`."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr

from config.validators import Endpoint, Names

# These are read from files too.
INBOX_SECRETS = frozenset({"webhook_secret", "signing_secret", "admin_key", "ssf_authorization"})


class InboxRegistration(BaseModel):
    """Variables by which a provider proves what it reports to `/inbox/NAME`
    ([inbox](../operate/inbox.md))."""

    webhook_secret: Annotated[SecretStr, Field(min_length=10, max_length=100)] | None = None
    """GitHub Apps, Twitch, Zoom: the secret that the provider signs with, as set there."""

    signing_secret: SecretStr | None = None
    """Slack: the signing secret of the app."""

    public_key: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$"), "64 hex digits"] | None = None
    """Discord: the public key of the application."""

    admin_key: SecretStr | None = None
    """Kakao: the admin key of the app, which its unlink webhook sends."""

    app_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$"), "a number"] | None = None
    """Kakao: the id of the app."""

    unlink_method: Literal["GET", "POST"] = "POST"
    """Kakao: the method of the unlink webhook, as chosen in the console."""

    notification_audiences: Names = ()
    """Apple: further ids that notifications may be for, such as the primary App ID."""

    risc_configuration_url: Endpoint | None = None
    """Google: where issuer and keys of its security events are read. Default: Google's."""

    risc_api_url: Endpoint | None = None
    """Google: where the stream of its security events is set up. Default: Google's."""

    eventsub_url: Endpoint | None = None
    """Twitch: where the subscription to what it reports is made. Default: Twitch's."""

    sse_configuration_url: Endpoint | None = None
    """Kakao: where issuer and keys of its security events are read. Default: Kakao's."""

    ssf_configuration_url: Endpoint | None = None
    """Issuers of `OIDC_PROVIDERS`: the transmitter metadata of its security events (Shared Signals
    Framework)."""

    ssf_authorization: SecretStr | None = None
    """Issuers of `OIDC_PROVIDERS`: the Authorization header that each event must come with, as
    given to the transmitter. Required with `NAME_SSF_CONFIGURATION_URL`."""

    ssf_audience: str | None = None
    """Issuers of `OIDC_PROVIDERS`: the audience of the stream. Default: the client id."""

    ssf_stream_id: str | None = None
    """Issuers of `OIDC_PROVIDERS`: the id of the stream."""
