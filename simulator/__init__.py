"""Fake providers: real HTTP servers on loopback that keep the protocol's rules, and break them on
request. Demo mode and the tests sign in with them. The package knows nothing of Quickstep.

``start`` starts one server with all providers; ``choose`` plays a person at their pages. Demo mode
calls ``serve_in_background``, which finds a free port; ``environment`` returns the settings that
point a Quickstep at it.

Submodules are imported on first use, so a production server loads none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.server import (
        Server,
        UnknownProvider,
        environment,
        mail_settings,
        serve_in_background,
        start,
    )
    from simulator.visit import Callback, Refused, choose

__all__ = [
    "Callback",
    "Refused",
    "Server",
    "UnknownProvider",
    "choose",
    "environment",
    "mail_settings",
    "serve_in_background",
    "start",
]
_OF_VISIT = ("Callback", "Refused", "choose")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    module = import_module("simulator.visit" if name in _OF_VISIT else "simulator.server")
    return getattr(module, name)
