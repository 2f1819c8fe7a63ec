"""Providers: whether each answers, and a check of it now."""

from typing import Any

from flask import Blueprint

from errors import NotFound
from views.admin.providers import check_now, has_provider, provider_rows
from views.api.admin.guard import protect_programs
from views.api.admin.site_schemas import Finding, FindingList, ProviderState, ProviderStateList
from views.api.operations import operation
from views.api.schemas import of_rows

providers = Blueprint("api_admin_providers", __name__, url_prefix="/api/v1/admin/providers")
protect_programs(providers)

FACTS: dict[str, Any] = {"is_of_programs": True}


@providers.get("")
@operation(answer=ProviderStateList, **FACTS)
def list_provider_states() -> ProviderStateList:
    """List the providers that are on, and whether their hosts answer.

    Each process of the server finds that out by itself; this one answered.
    """
    items = [
        ProviderState(
            name=row["name"],
            label=row["label"],
            is_answering=all(row["origins"].values()),
            last_sign_in_at=row["last"],
            last_refusal_at=row["refused"].at if row["refused"] else None,
        )
        for row in provider_rows()
    ]
    return ProviderStateList(items=items, next_cursor=None)


@providers.post("/<provider>/check")
@operation(answer=FindingList, **FACTS)
def check_provider(provider: str) -> FindingList:
    """Check a provider: client, redirect URI, keys, certificates, clock.

    Six times a minute at most for each.
    """
    if not has_provider(provider):
        raise NotFound("no such provider is on")
    return FindingList(items=of_rows(Finding, check_now(provider)), next_cursor=None)
