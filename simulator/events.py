"""Where a fake provider says who sends its security events (Shared Signals Framework 1.0, 7.1)."""

from typing import ClassVar

from flask import Response, jsonify


class SendsEvents:
    """A part of fake issuers; ``keys_path`` is where their keys are."""

    url: str
    keys_path: ClassVar[str]

    @property
    def events_issuer(self) -> str:
        """The iss of its security events."""
        return self.url

    def events_configuration(self, **_where: str) -> Response:
        return jsonify(issuer=self.events_issuer, jwks_uri=f"{self.url}{self.keys_path}")
