"""The blueprints of the account pages."""

from views.account.apps import apps
from views.account.hold import hold
from views.account.identities import identities
from views.account.not_me import not_me
from views.account.overview import account
from views.account.personal import personal

ACCOUNT_BLUEPRINTS = (account, apps, hold, identities, not_me, personal)
