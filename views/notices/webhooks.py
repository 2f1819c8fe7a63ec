"""Wiring: how an application sends messages to webhooks, and the job that does."""

from collections.abc import Mapping

from flask import Flask

from errors import ProviderError
from jobs.parallel import Deliverer
from jobs.registry import Jobs
from notices import deliveries, webhooks
from notices.deliveries import SendFailed, Webhooks
from notices.delivery_ends import Response
from providers.http.breaker import mark_as_beside
from providers.http.receivers import post_to_receiver
from web.context import Site

# Faults that their names alone do not explain.
WORDS = {"AddressRefused": "not a public address", "NotHTTPS": "not https"}


def install(app: Flask, site: Site, jobs: Jobs) -> None:
    """Add the sender, and the job that sends what waits."""
    send = sender(allows_private=site.settings.webhook_allow_private)
    app.extensions[deliveries.EXTENSION] = Webhooks(send, site.settings.operator_email)
    deliverer = Deliverer(app, deliveries.outbox(send), mark_as_beside)
    jobs.add(webhooks.JOB, deliverer.work)


def sender(*, allows_private: bool) -> deliveries.Send:
    """Return what sends a message: bounded in time and size, to checked addresses."""

    def send(url: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            found = post_to_receiver(url, headers, body, allows_private=allows_private)
        except ProviderError as error:
            fault = error.detail.rpartition(": ")[2]
            raise SendFailed(WORDS.get(fault, fault)) from error
        return Response(
            found.status_code, {name.lower(): text for name, text in found.headers.items()}
        )

    return send
