"""The variables of templates: names, the visitor, addresses of static files, icons and dates."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, current_app, url_for
from markupsafe import Markup

from notices import mails
from web.administration import is_admin_here
from web.authentication import visitor
from web.context import site
from web.request_state import request_state
from web.text.words import day, moment

MARKS = Path(__file__).parent.parent / "static" / "idp"


def init_app(app: Flask) -> None:
    app.context_processor(page_context)
    app.template_filter("moment")(moment)
    app.template_filter("day")(day)


def page_context() -> dict[str, Any]:
    here = site()
    return {
        "product": here.settings.brand_name,
        "settings": here.settings,
        "connectors": here.connectors,
        "label": here.label,
        "is_demo": here.demo_url is not None,
        "demo_app": f"{here.demo_url}/apps/notes" if here.demo_url else None,
        "demo_mail": f"{here.demo_url}/demo/mail" if here.demo_url and mails.is_on() else None,
        "trusts_anybody": here.trusts_anybody,
        "provider_mark": provider_mark,
        "own_image": own_image,
        "theme_url": theme_url(),
        "static_url": static_url,
        "user": visitor,
        "is_admin_here": is_admin_here,
        "ref": request_state().reference,
    }


def static_url(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return url_for("static", filename=name, v=_fingerprint(current_app.static_folder or "", name))


@lru_cache
def _fingerprint(folder: str, name: str) -> str:
    return sha256((Path(folder) / name).read_bytes()).hexdigest()[:10]


def own_image(name: str) -> dict[str, str] | None:
    """Return the addresses of an image of the operator's, for the light and the dark theme."""
    images = site().images
    if name not in images:
        return None
    return {
        theme: url_for("brand.image", name=key, v=images[key].fingerprint)
        for theme, key in (("light", name), ("dark", f"{name}.dark"))
        if key in images
    }


def theme_url() -> str | None:
    """Return the address of the operator's colours."""
    accent = site().settings.brand_accent
    return url_for("brand.theme", v=accent.replace("#", "").replace(",", "-")) if accent else None


@lru_cache
def provider_mark(name: str) -> Markup | None:
    """Return a provider's mark as inline SVG; None where we may not pass one on."""
    path = MARKS / f"{name}.svg"
    return Markup(path.read_text(encoding="utf-8")) if path.exists() else None  # noqa: S704 (our own files)
