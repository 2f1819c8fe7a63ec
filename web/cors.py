"""CORS: which pages of other origins may call the API from a browser; configured origins only.

https://fetch.spec.whatwg.org/#http-cors-protocol. The session cookie is SameSite=Lax, so browsers
send it only from origins of the same site, such as another host of the same domain.
"""

from flask import Flask, request
from werkzeug.wrappers import Response

from web.context import site

# Only our own pages and apps may sign in.
PATHS = ("/api/", "/openapi.json")
MAY_SEND = "Authorization, Content-Type, X-CSRF-Token"
MAY_READ = "Retry-After, WWW-Authenticate, X-CSRF-Token"
PREFLIGHT_SECONDS = 600


def init_app(app: Flask) -> None:
    app.after_request(allow_listed_origins)


def allow_listed_origins(response: Response) -> Response:
    """Echo a listed origin, never ``*``; other origins get no headers."""
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
