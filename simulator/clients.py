"""An application as registered at a fake provider."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
