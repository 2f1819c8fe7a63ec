"""What templates may use: names, the visitor, addresses of static files, icons and dates."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, current_app, url_for
from markupsafe import Markup

from web.authentication import visitor
from web.context import site
from web.request_state import request_state
from web.text.words import day, moment

ICONS = Path(__file__).parent.parent / "static" / "idp"


def init_app(app: Flask) -> None:
    app.context_processor(page_context)
    app.template_filter("moment")(moment)
    app.template_filter("day")(day)


def page_context() -> dict[str, Any]:
    here = site()
    return {
        "product": here.settings.app_name,
        "settings": here.settings,
        "connectors": here.connectors,
        "label": here.label,
        "is_demo": here.demo_url is not None,
        "trusts_anybody": here.trusts_anybody,
        "provider_icon": provider_icon,
        "static_url": static_url,
        "user": visitor,
        "ref": request_state().reference,
    }


def static_url(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return url_for("static", filename=name, v=_fingerprint(current_app.static_folder or "", name))


@lru_cache
def _fingerprint(folder: str, name: str) -> str:
    return sha256((Path(folder) / name).read_bytes()).hexdigest()[:10]


@lru_cache
def provider_icon(name: str) -> Markup:
    """Return a provider's mark as inline SVG; a key where there is none."""
    path = ICONS / f"{name}.svg"
    return Markup((path if path.exists() else ICONS / "key.svg").read_text(encoding="utf-8"))  # noqa: S704 (our own files)
