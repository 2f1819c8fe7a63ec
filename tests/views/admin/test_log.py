"""The administrators' log: acts of commands on what is nobody's account stand in it too."""

from tests.commands.console import answer
from tests.views.admin.conftest import make_admin

API = "https://photos.example/api"


def test_acts_on_invitations_gates_apis_and_keys_are_in_the_log(both):
    made = answer(both, "invitations", "add", "--email", "grace@navy.example")
    answer(both, "invitations", "remove", made["id"])
    answer(both, "gates", "add", "wiki", "--host", "https://wiki.example")
    answer(both, "gates", "allow", "wiki", "group=staff")
    answer(both, "gates", "allow", "wiki", "group=staff")  # changes nothing
    answer(both, "gates", "remove", "wiki", "--yes")
    answer(both, "resources", "add", API, "--scope", "photos.read")
    answer(both, "resources", "remove", API)
    keys = [each["kid"] for each in answer(both, "signing-keys", "rotate")["items"]]
    answer(both, "signing-keys", "withdraw", keys[0], "--yes")
    items = reversed(answer(both, "admin", "log")["items"])
    found = [(each["act"], each["target"], each["detail"]) for each in items]
    assert set(found[7][1].split(", ")) == set(keys)
    assert [each for each in found if each[0] != "signing_keys_rotated"] == [
        ("invitation_added", made["id"], ""),
        ("invitation_removed", made["id"], ""),
        ("gate_added", "wiki", ""),
        ("gate_changed", "wiki", "group=staff"),
        ("gate_removed", "wiki", ""),
        ("resource_added", API, ""),
        ("resource_removed", API, ""),
        ("signing_key_withdrawn", keys[0], ""),
    ]
    shown = make_admin(both).get("/admin/log").text
    assert f"command line made the invitation {made['id']}" in shown
    assert "changed who may pass (group=staff) the gate wiki" in shown
    assert "navy.example" not in shown
