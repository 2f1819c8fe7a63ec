"""The test suite always ends, and lists what it left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LACKS_TWO_PARTS = """
import pytest
from tests.missing import lack

@pytest.fixture(scope="session")
def wheel():
    lack("a wheel")

def test_one(wheel): pass
def test_another(wheel): pass
def test_a_third(): lack("a sail")
"""
HANGS = "import threading\ndef test_waits(): threading.Event().wait()\n"
LEAVES_A_THREAD = """
import threading
from tests import endings

def test_leaves_a_thread():
    endings.EXIT_SECONDS = 0.2
    threading.Thread(target=threading.Event().wait).start()
"""


@pytest.fixture
def run_suite(tmp_path):
    """Runs this text as a test file, in a pytest of its own with our configuration."""

    def run(text: str, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-c", f"{ROOT}/pyproject.toml", "-p"]
        command += ["tests.endings", "-p", "no:cacheprovider", *options, f"{tmp_path}/test_it.py"]
        inherited = {name: value for name, value in os.environ.items() if name != "CI"}
        return subprocess.run(
            command,
            cwd=ROOT,
            env=inherited | environ,
            check=False,
            capture_output=True,
            text=True,
            timeout=200,
        )

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_missing_parts_are_listed_once_at_the_end(run_suite, workers):
    result = run_suite(LACKS_TWO_PARTS, "-n", workers)
    closing = result.stdout.partition("left out, because this machine lacks")[2].splitlines()
    assert closing[1:3] == ["a sail", "a wheel"]
    assert result.returncode == 0
    assert "3 skipped" in result.stdout


def test_in_ci_a_missing_part_is_a_failure(run_suite):
    result = run_suite(LACKS_TWO_PARTS, CI="true")
    assert result.returncode == 1
    assert "this machine lacks a wheel" in result.stdout
    assert "1 failed, 2 errors" in result.stdout


def test_a_test_that_hangs_fails(run_suite):
    result = run_suite(HANGS, "--timeout", "1")
    assert result.returncode == 1
    assert "Timeout (>1.0s)" in result.stdout


def test_every_test_has_a_time_limit_and_our_ending(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("tests.endings")
    assert 0 < float(pytestconfig.getini("timeout")) <= 300


def test_a_thread_left_behind_does_not_hold_up_the_end(run_suite):
    result = run_suite(LEAVES_A_THREAD)
    assert "1 passed" in result.stdout
    assert "Timeout" in result.stderr
