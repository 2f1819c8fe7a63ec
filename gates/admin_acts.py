"""Acts of an administrator on gates, by command or on a page: the registry's verbs, each with its
row in the administrators' log."""

from collections.abc import Sequence

from accounts import admin_log
from accounts.activity import Caller
from accounts.admin_log import Act
from gates import registry
from gates.registry import Gate
from storage import atomic


@atomic
def add_gate(name: str, origins: Sequence[str], allow: Sequence[str], caller: Caller) -> Gate:
    """Add a gate. Raises Taken."""
    gate = registry.add(name, origins, allow)
    admin_log.record(caller, Act.GATE_ADDED, target=gate.name, detail=", ".join(gate.allow))
    return gate


@atomic
def change_rules(name: str, allow: Sequence[str], caller: Caller) -> Gate:
    """Replace the rules of a gate, from the next request on. Raises NotFound."""
    before = registry.get(name)
    gate = registry.change_rules(name, allow)
    if gate.allow != before.allow:
        detail = ", ".join(gate.allow) or "no rules"
        admin_log.record(caller, Act.GATE_CHANGED, target=gate.name, detail=detail)
    return gate


@atomic
def remove_gate(name: str, caller: Caller) -> None:
    """Delete a gate, and let nobody in there any more. Raises NotFound."""
    registry.remove(name)
    admin_log.record(caller, Act.GATE_REMOVED, target=name)
