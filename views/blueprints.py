"""All blueprints of ours but those of the OpenID Provider and the gate, which add their own."""

from collections.abc import Iterable

from flask import Blueprint

from config.settings import Settings
from views.account.blueprints import ACCOUNT_BLUEPRINTS
from views.admin.blueprints import admin_blueprints
from views.api.admin.blueprints import admin_api_blueprints
from views.api.blueprints import API_BLUEPRINTS
from views.operator.brand import brand
from views.sign_in.blueprints import SIGN_IN_BLUEPRINTS


def blueprints(settings: Settings) -> Iterable[Blueprint]:
    """Return the blueprints of a site."""
    usual = (*SIGN_IN_BLUEPRINTS, *ACCOUNT_BLUEPRINTS, brand, *API_BLUEPRINTS)
    return (*usual, *admin_api_blueprints(settings), *admin_blueprints(settings))
