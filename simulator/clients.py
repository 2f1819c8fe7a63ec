"""An application as it is registered at a look-alike provider."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
