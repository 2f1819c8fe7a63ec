"""Which pages elsewhere may call the API from a browser: CORS, for configured origins only.

https://fetch.spec.whatwg.org/#http-cors-protocol. The session cookie is SameSite=Lax, so it
comes along only from origins of the same site, such as another name of the same domain.
"""

from flask import Flask, request
from werkzeug.wrappers import Response

from web.context import site

# Signing in is for our own pages and for apps.
PATHS = ("/api/", "/openapi.json")
MAY_SEND = "Authorization, Content-Type, X-CSRF-Token"
MAY_READ = "Retry-After, WWW-Authenticate, X-CSRF-Token"
PREFLIGHT_SECONDS = 600


def init_app(app: Flask) -> None:
    app.after_request(allow_listed_origins)


def allow_listed_origins(response: Response) -> Response:
    """Answer an origin by its name, never by ``*``; other origins learn nothing."""
    if not request.path.startswith(PATHS):
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin not in site().settings.cors_origins:
        return response
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = "true"
    headers["Access-Control-Expose-Headers"] = MAY_READ
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = headers.get("Allow", "")
        headers["Access-Control-Allow-Headers"] = MAY_SEND
        headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response
