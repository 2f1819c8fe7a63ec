"""Discovery and keys before Flask: the same for everybody, so their bytes are made once."""

from wsgiref.types import WSGIEnvironment

from flask import Flask

from issuer.signing_keys import EXTENSION as KEY_RING
from issuer.signing_keys import KeyRing
from views.oidc import metadata
from views.oidc.json_answers import ANY_ORIGIN
from views.oidc.ready import Answerer, Headers, Ready, is_plain_get
from web.context import Site
from web.headers import public_for, security_headers


class Published:
    """Discovery and keys, which are the same for everybody."""

    def __init__(self, app: Flask, site: Site) -> None:
        self._keys: KeyRing = app.extensions[KEY_RING]
        self._settings = site.settings
        self._security = security_headers(site.settings.is_https)

    def answerers(self) -> dict[str, Answerer]:
        name = self._settings.base_url
        has_documents = bool(self._settings.client_document_hosts)
        configuration = metadata.write_configuration(name, has_documents)
        bodies = dict.fromkeys(metadata.CONFIGURATION, ("configuration", configuration))
        bodies |= {
            path: ("resource", metadata.write_resource(name, path)) for path in metadata.RESOURCES
        }
        return {
            metadata.JWKS: self._answer_keys,
            **{path: self._always(view, body) for path, (view, body) in bodies.items()},
        }

    def _always(self, view: str, body: bytes) -> Answerer:
        headers = self._headers(metadata.JSON, body)
        endpoint = f"{metadata.metadata.name}.{view}"
        return lambda environ: Ready(endpoint, [*headers], body) if is_plain_get(environ) else None

    def _answer_keys(self, environ: WSGIEnvironment) -> Ready | None:
        ring = self._keys.ring_if_read()
        if ring is None or not is_plain_get(environ):
            return None
        headers = self._headers(metadata.KEYS, ring.jwks)
        return Ready(f"{metadata.metadata.name}.jwks", headers, ring.jwks)

    def _headers(self, mimetype: str, body: bytes) -> Headers:
        return [
            ("Content-Type", mimetype),
            ("Content-Length", str(len(body))),
            ANY_ORIGIN,
            *self._security,
            ("Cache-Control", public_for(metadata.PUBLIC_SECONDS)),
        ]
