"""Look-alike providers: real HTTP servers on loopback that keep the protocol's rules, and break
them on request. Demo mode and the tests sign in with them. Knows nothing of Quickstep.

``start`` starts one server with all of them; ``choose`` is somebody at their pages. For demo mode
``serve_in_background`` looks for a port; ``environment`` gives the settings that point a
Quickstep at it.
"""

from simulator.server import Server, UnknownProvider, environment, serve_in_background, start
from simulator.visit import Callback, Refused, choose

__all__ = [
    "Callback",
    "Refused",
    "Server",
    "UnknownProvider",
    "choose",
    "environment",
    "serve_in_background",
    "start",
]
