"""Gates: what stands behind each, who may pass, and how many sessions are open there."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from accounts import admission
from gates import admin_acts, occupancy, registry
from gates.registry import Gate
from web.administration import admin_caller, protect_admin
from web.context import site
from web.text.messages import message

gates = Blueprint("admin_gates", __name__, url_prefix="/admin/gates")
protect_admin(gates)

MAX_RULES = 100


@gates.get("")
def show_all() -> str:
    """Show all gates, by name."""
    counts = occupancy.count_sessions()
    rows = [{"gate": each, "sessions": counts.get(each.id, 0)} for each in registry.every()]
    return render_template("admin/gates.html", rows=rows, is_open_to_all=_is_open_to_all())


@gates.get("/<name>")
def show(name: str) -> str:
    """Show one gate, with the form that changes who may pass."""
    gate = registry.get(name)
    return _page(gate, "\n".join(gate.allow), {})


def _page(gate: Gate, typed: str, faults: dict[str, str]) -> str:
    return render_template(
        "admin/gate.html",
        gate=gate,
        typed=typed,
        faults=faults,
        words=admission.WORDS,
        sessions=occupancy.count_sessions().get(gate.id, 0),
        forward_auth=f"{site().settings.base_url}/forward-auth/{gate.name}",
        is_open_to_all=_is_open_to_all(),
    )


def _is_open_to_all() -> bool:
    return site().settings.apps_default == "open"


@gates.post("/<name>/allow")
def allow(name: str) -> Response | tuple[str, int]:
    """Replace the rules of a gate; they count from the next request on."""
    gate = registry.get(name)
    typed = request.form.get("rules", "")
    rules = list(dict.fromkeys(typed.split()))
    if faults := _faults(rules):
        return _page(gate, typed, faults), 400
    admin_acts.change_rules(gate.name, rules, admin_caller())
    flash(message("gate_changed", gate=gate.name), "ok")
    return redirect(url_for("admin_gates.show", name=gate.name), 303)


def _faults(rules: Sequence[str]) -> dict[str, str]:
    """Return what is wrong, by rule."""
    found = {rule: fault for rule in rules[:MAX_RULES] if (fault := admission.fault(rule))}
    if len(rules) > MAX_RULES:
        found[rules[MAX_RULES]] = f"is one more than {MAX_RULES} rules"
    return found
