"""Every test checks its log for secrets (tests/conftest.py); these show that the check works."""

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
def test_a_secret_in_a_log_line_is_detected(site, secret: Callable[[], str], spoil: str):
    known = secret()
    structlog.get_logger().warning("told", detail=spoil.format(known))
    (line,) = EAR.leaks()
    assert known in line


def test_a_session_token_is_detected_wherever_it_is_logged(browser: Browser):
    browser.sign_in("google", "ada")
    assert not EAR.leaks()
    structlog.get_logger().info("told", detail=f"the cookie {browser.cookie('session')}")
    structlog.get_logger().info("told", detail=f"the CSRF cookie {browser.cookie('quickstep')}")
    assert len(EAR.leaks()) == 2


def test_any_jwt_in_the_log_is_detected(site):
    structlog.get_logger().info("told", detail="eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmVk")
    assert len(EAR.leaks()) == 1


def test_a_log_line_without_a_secret_is_accepted(browser: Browser):
    browser.sign_in("google", "ada")
    structlog.get_logger().info("told", detail=browser.user_id, more="a" * 3000)
    assert not EAR.leaks()
