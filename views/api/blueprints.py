"""The API's blueprints, in the order of the document."""

from views.api.account_data import account_data
from views.api.apps import api_apps
from views.api.docs import docs
from views.api.providers import providers
from views.api.routes import api

API_BLUEPRINTS = (providers, api, api_apps, account_data, docs)
