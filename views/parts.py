"""The parts that bring routes and jobs of their own into an application, in this order."""

from views.gate import wiring as gate
from views.inbox import wiring as inbox
from views.notices import wiring as notices
from views.oidc import wiring as oidc

PARTS = (oidc, gate, inbox, notices)
