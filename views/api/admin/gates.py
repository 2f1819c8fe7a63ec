"""Gates, and who may pass them."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint

from gates import admin_acts, occupancy, registry
from gates.registry import Gate as GateRow
from views.api.admin.guard import program_caller, protect_programs
from views.api.admin.site_schemas import Gate, GateList, GateRules
from views.api.operations import operation
from web.context import site

gates = Blueprint("api_admin_gates", __name__, url_prefix="/api/v1/admin/gates")
protect_programs(gates)

FACTS: dict[str, Any] = {"is_of_programs": True}


@gates.get("")
@operation(answer=GateList, **FACTS)
def list_gates() -> GateList:
    """List the gates before applications, by name."""
    return GateList(items=_described(registry.every()), next_cursor=None)


@gates.patch("/<gate>")
@operation(body=GateRules, answer=Gate, **FACTS)
def change_gate(gate: str, body: GateRules) -> Gate:
    """Replace the rules of a gate, from the next request on.

    Without rules it has none, and APPS_DEFAULT says for whom it is.
    """
    rules = list(dict.fromkeys(body.allow))
    return _described([admin_acts.change_rules(gate, rules, program_caller())])[0]


def _described(found: Iterable[GateRow]) -> list[Gate]:
    counts = occupancy.count_sessions()
    return [
        Gate(
            name=gate.name,
            hosts=gate.origins,
            allow=gate.allow,
            sessions=counts.get(gate.id, 0),
            forward_auth=f"{site().settings.base_url}/forward-auth/{gate.name}",
            created_at=gate.created_at,
        )
        for gate in found
    ]
