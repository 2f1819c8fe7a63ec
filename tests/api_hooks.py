"""Hooks with which schemathesis tests the API (SCHEMATHESIS_HOOKS, see test_schema.py)."""

import json
import os
from datetime import UTC

import schemathesis
from hypothesis import strategies as st

from views.api.admin.site_schemas import ADDRESS_FORMAT, RULE_FORMAT
from views.api.paging import CURSOR_FORMAT, encode_cursor
from views.api.schemas import RETURN_TO_FORMAT

# Cookies and headers of a signed-in user, and the id of that session.
CALLER = json.loads(os.environ["API_CALLER"])

ids = st.text("0123456789abcdef", min_size=32, max_size=32)
positions = st.tuples(st.datetimes(timezones=st.just(UTC)), ids)
schemathesis.openapi.format(CURSOR_FORMAT, positions.map(encode_cursor))
schemathesis.openapi.format(RETURN_TO_FORMAT, st.sampled_from(["/", "/account", "/account?a=b"]))
RULES = ["everyone", "group=staff", "domain=example.org"]
schemathesis.openapi.format(RULE_FORMAT, st.sampled_from(RULES))
schemathesis.openapi.format(ADDRESS_FORMAT, st.sampled_from(["ada@gmail.com", "x@example.org"]))


@schemathesis.auth()
class Caller:
    def get(self, case, context):
        return CALLER

    def set(self, case, data, context):
        case.cookies = {**(case.cookies or {}), **data["cookies"]}
        case.headers = {**(case.headers or {}), **data["headers"]}


@schemathesis.hook
def filter_case(context, case):
    """Keep the session: signing out would hide most of the API."""
    return (case.path_parameters or {}).get("session_id") not in ("current", CALLER["session_id"])
