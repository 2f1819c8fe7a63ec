"""Every test looks whether a secret was logged (tests/conftest.py): here, that the look is one."""

import secrets
from collections.abc import Callable

import pytest
import structlog

from tests.browser import Browser
from tests.eavesdropper import EAR
from tests.site import SECRET_KEY


def made() -> str:
    return secrets.token_urlsafe(24)


@pytest.mark.parametrize("spoil", ["{}", "x={}", "flow_{}", "b'{}'", "a{}z", "/path?code={}&y"])
@pytest.mark.parametrize("secret", [made, lambda: SECRET_KEY], ids=["made", "set"])
def test_a_secret_in_a_line_is_heard(site, secret: Callable[[], str], spoil: str):
    known = secret()
    structlog.get_logger().warning("told", detail=spoil.format(known))
    (line,) = EAR.leaks()
    assert known in line


def test_a_session_is_a_secret_wherever_it_is_logged(browser: Browser):
    browser.sign_in("google", "ada")
    assert not EAR.leaks()
    structlog.get_logger().info("told", detail=f"the cookie {browser.cookie('session')}")
    structlog.get_logger().info("told", detail=f"the CSRF cookie {browser.cookie('quickstep')}")
    assert len(EAR.leaks()) == 2


def test_a_jwt_is_a_secret_whoever_made_it(site):
    structlog.get_logger().info("told", detail="eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmVk")
    assert len(EAR.leaks()) == 1


def test_what_is_no_secret_is_not_heard(browser: Browser):
    browser.sign_in("google", "ada")
    structlog.get_logger().info("told", detail=browser.user_id, more="a" * 3000)
    assert not EAR.leaks()
