"""The import rules: rooms and floors, as docs/understand/architecture.md draws them."""

import ast
import re
from pathlib import Path

import pytest

from providers import PROVIDERS

ROOT = Path(__file__).parents[2]
PICTURE = (ROOT / "docs" / "understand" / "architecture.md").read_text()
# Separate programs, outside of the rooms.
APART = {"simulator", "bench", "migrations"}
FLASK_DANCE = {
    "providers/protocols/flask_dance.py",
    "providers/protocols/flask_dance_oauth1.py",
}
# Third parties that have one door each: a room or a file.
DOORS = {
    "flask_dance": FLASK_DANCE,
    "oauthlib": {"providers/protocols/oauth1.py"},
    "requests_oauthlib": set(),
    "urllib3": {"providers/http"},
    "requests": {"providers/http", *FLASK_DANCE},
    "dotenv": {"config"},
    "joserfc": {"keys"},
    "cryptography": {"keys", "web/checks/metadata.py"},
    "prometheus_client": {"telemetry/metrics.py"},
    "limits": {"web/limits.py", "web/shared_limits.py"},
    "redis": set(),
    "ua_parser": {"accounts/devices.py"},
    "flask_sqlalchemy": {"storage"},
}
# Rooms that may name providers.
NAMED_IN = {"providers", "inbox", "simulator"}
FLASK_FREE = {"errors", "config", "keys", "telemetry", "providers"}
# Of the providers, the routes in front of their clients.
WITH_FLASK = {
    *FLASK_DANCE,
    "providers/protocols/form_post.py",
    "providers/protocols/gate.py",
}


def floors() -> dict[str, int]:
    """Each room's floor, from the table in docs/understand/architecture.md."""
    table = PICTURE.partition("\n## Floors\n")[2].partition("```")[2].partition("```")[0]
    rows = [re.fullmatch(r"(\d+)  (.+)", line) for line in table.strip().splitlines()]
    return {
        room: int(row[1])
        for row in rows
        if row
        for room in row[2].replace("|", " ").replace("gunicorn.conf", "gunicorn").split()
    }


FLOOR_OF = floors()
FILES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if path.relative_to(ROOT).parts[0].removesuffix(".py") in {*FLOOR_OF, *APART}
    or path.parent == ROOT
)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in FILES
}
OURS = [path for path in FILES if path.relative_to(ROOT).parts[0] not in APART]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].partition(".")[0]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The modules that a file imports, in full: ``from a import b`` counts as ``a.b`` too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            # Importing a module from a package is an arrow to the module, not to the package.
            found |= named if named <= MODULES else {node.module, *named}
    return found


def rooms(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {module.partition(".")[0] for module in imports(path)}


def strings(path: Path) -> set[str]:
    """The string literals of a file, without its docstrings' prose."""
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_the_table_names_every_room_and_no_other():
    there = {room_of(path) for path in OURS}
    assert there <= set(FLOOR_OF)


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_a_room_imports_lower_floors_only(path):
    room = room_of(path)
    # "gunicorn" in an import is the library: nothing can import gunicorn.conf.py.
    others = rooms(path) & set(FLOOR_OF) - {room, "gunicorn"}
    assert not {each for each in others if FLOOR_OF[each] >= FLOOR_OF[room]}
    if room not in ("app", "simulator"):
        assert "simulator" not in rooms(path)


@pytest.mark.parametrize("room", sorted({room_of(path) for path in FILES}))
def test_no_room_has_an_import_cycle(room):
    inside = {module_of(path): path for path in FILES if room_of(path) == room}
    arrows = {
        module: {each for each in imports(path) if each in inside and each != module}
        for module, path in inside.items()
    }
    while leaves := [module for module, to in arrows.items() if not to & arrows.keys()]:
        for module in leaves:
            del arrows[module]
    assert not arrows, f"these import each other in a circle: {sorted(arrows)}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_simulator_knows_nothing_of_quickstep(path):
    if room_of(path) == "simulator":
        assert not rooms(path) & set(FLOOR_OF)


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_third_party_packages_are_imported_by_their_own_room_only(path):
    name = name_of(path)
    for package, doors in DOORS.items():
        if package in rooms(path):
            assert any(name == door or name.startswith(f"{door}/") for door in doors), package


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_rooms_without_requests_do_not_import_flask(path):
    name = name_of(path)
    is_free = any(name == f"{room}.py" or name.startswith(f"{room}/") for room in FLASK_FREE)
    if is_free and name not in WITH_FLASK:
        assert not rooms(path) & {"flask", "flask_login", "werkzeug"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_imported_inside_a_function(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            inside = [
                each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)
            ]
            assert not inside, f"{node.name} imports: the module stands on the wrong floor"


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_only_config_reads_the_environment(path):
    # prometheus_client reads a variable, which gunicorn.conf.py sets for the workers.
    if room_of(path) in ("config", "gunicorn"):
        return
    text = path.read_text().replace('request.environ["', "").replace(' environ["', "")
    assert "environ[" not in text
    assert "os.environ" not in path.read_text()
    assert "getenv" not in path.read_text()


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_no_provider_is_named_outside_its_rooms(path):
    if room_of(path) not in NAMED_IN:
        names = {provider.name for provider in PROVIDERS.values()} | {"firebase"}
        assert not strings(path) & names


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_every_module_says_in_its_first_line_what_it_owns(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert len(docstring.splitlines()[0]) > 20


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_rows_of_identities_stay_in_their_rooms(path):
    """Everybody else is given values, which nothing can change by the way."""
    # The two checks before Flask read columns, past every model.
    allowed = {"models", "accounts", "vault", "views/api/session_check.py", "gates/visitors.py"}
    if {room_of(path), name_of(path)} & allowed:
        return
    assert "models.OAuth" not in imports(path)
    assert "identity_rows" not in path.read_text()
