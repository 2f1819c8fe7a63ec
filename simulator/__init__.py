"""Look-alike providers: real HTTP servers on loopback that keep the protocol's rules, and break
them on request. Demo mode and the tests sign in with them. Knows nothing of Quickstep.

``serve_in_background`` starts one server with all of them; ``environment`` gives the
settings that point a Quickstep at it.
"""

from simulator.server import Server, environment, serve_in_background

__all__ = ["Server", "environment", "serve_in_background"]
