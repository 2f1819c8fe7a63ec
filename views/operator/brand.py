"""The operator's branding as files: colours and images, read at the start, served from memory."""

from flask import Blueprint
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response

from config.branding import accents, text_on
from web.context import site
from web.headers import STATIC_SECONDS
from web.images import send_image
from web.paths import ASSETS

brand = Blueprint("brand", __name__, url_prefix=f"{ASSETS}/static/brand")

RULES = (
    ":root{{--accent:{light};--on-accent:{on_light}}}"
    "@media (prefers-color-scheme:dark){{:root{{--accent:{dark};--on-accent:{on_dark}}}}}"
)


@brand.get("/theme.css")
def theme() -> Response:
    """Return the accent of both themes, as the tokens of static/app.css."""
    accent = site().settings.brand_accent
    if accent is None:
        raise PageNotFound
    light, dark = accents(accent)
    rules = RULES.format(light=light, dark=dark, on_light=text_on(light), on_dark=text_on(dark))
    response = Response(rules, mimetype="text/css")
    response.headers["Cache-Control"] = f"public, max-age={STATIC_SECONDS}"
    return response


@brand.get("/<name>")
def image(name: str) -> Response:
    """Return an image of the operator's."""
    found = site().images.get(name)
    if found is None:
        raise PageNotFound
    return send_image(found, STATIC_SECONDS)
