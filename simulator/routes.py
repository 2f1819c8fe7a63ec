"""Flask whose routes are compiled when their addresses are built: tests create it many times."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule


class Route(Rule):
    """A route that is compiled for ``url_for`` at its first use. Werkzeug compiles all of them when
    they are registered, which takes most of an application's creation."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(route: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](route, **values)

        compile_now = super()._compile_builder
        return build


class Application(Flask):
    url_rule_class = Route
