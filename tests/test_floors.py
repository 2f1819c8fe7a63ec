"""Who may import whom: the floors of the house (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"clients", "config", "crew", "errors", "logs", "metrics", "serving", "siblings"},
    {"background", "database", "models", "plain", "postgresql", "sealing"},
    {
        *("accounts", "activity", "exports", "flows", "housekeeping", "identities", "linking"),
        *("people", "resealing", "revocations", "schema", "sessions", "snapshots", "tokens"),
    },
    {"views", "commands"},
    {"app"},
    {"gunicorn", "gunicorn_worker"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms} | {
    "providers": 1,
    "simulator": -1,
}
# Third parties that have one door each.
DOORS = {
    "flask_dance": {"providers/blueprint.py", "providers/oauth1.py", "providers/oauth2.py"},
    "oauthlib": set(),
    "requests_oauthlib": set(),
    "dotenv": {"config.py"},
    "joserfc": {
        "providers/jwt.py",
        "providers/made_secret.py",
        "simulator/apple.py",
        "simulator/signing.py",
    },
    "prometheus_client": {"metrics.py"},
    "limits": {"views/limits.py", "views/shared_limits.py"},
    "redis": set(),
    "ua_parser": {"views/describe.py"},
}
FILES = sorted(
    path
    for pattern in ("*.py", "commands/*.py", "providers/*.py", "views/*.py", "simulator/*.py")
    for path in ROOT.glob(pattern)
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down_only(path):
    room = room_of(path)
    ours = imports(path) & set(FLOOR_OF)
    if room == "simulator":
        assert ours <= {"simulator"}, "a look-alike knows nothing of Quickstep"
        return
    above = {each for each in ours - {room} if FLOOR_OF[each] > FLOOR_OF[room]}
    assert not above
    if room != "app":
        assert "simulator" not in ours


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_providers_and_tables_do_not_know_each_other(path):
    room, ours = room_of(path), imports(path)
    if room == "providers":
        assert not ours & {
            "database",
            "models",
            "sealing",
            "sqlalchemy",
            "flask_sqlalchemy",
            "flask_login",
        }
    if room in ("database", "models", "sealing"):
        assert "providers" not in ours


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_third_parties_come_in_by_their_own_door(path):
    for package, doors in DOORS.items():
        if package in imports(path):
            assert name_of(path) in doors


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_imported_inside_a_function(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            inside = [
                each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)
            ]
            assert not inside, f"{node.name} imports: the module stands on the wrong floor"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_settings_read_the_environment(path):
    # prometheus_client is told by a variable, which gunicorn.conf.py sets for the workers.
    if name_of(path) not in ("config.py", "gunicorn.conf.py"):
        text = path.read_text().replace('request.environ["', "").replace(' environ["', "")
        assert "environ[" not in text
        assert "os.environ" not in path.read_text()
        assert "getenv" not in path.read_text()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_provider_is_named_outside_its_room(path):
    if room_of(path) in ("providers", "simulator"):
        return
    words = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not words & {"google", "facebook", "github"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_in_its_first_line_what_it_owns(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert len(docstring.splitlines()[0]) > 20
