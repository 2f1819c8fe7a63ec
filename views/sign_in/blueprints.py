"""The blueprints of signing in, without those of the providers."""

from views.sign_in.confirm import confirm
from views.sign_in.id_tokens import mobile
from views.sign_in.join import join
from views.sign_in.login import login
from views.sign_in.one_tap import one_tap
from views.sign_in.setup import setup
from views.sign_in.waiting import waiting

SIGN_IN_BLUEPRINTS = (login, join, setup, mobile, one_tap, confirm, waiting)
