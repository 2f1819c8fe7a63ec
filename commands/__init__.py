"""The operator's command line, ``flask --app app …``: one module per group of commands.

Imports accounts, vault, web and the rooms below; never a view. Start reading at ``users``.
"""

from flask import Flask

from commands import admin, approvals, migrations, moving, reinstating
from commands.access import access
from commands.clients import clients
from commands.gate_check import check as gate_check
from commands.gates import gates
from commands.groups import groups
from commands.inbox import inbox
from commands.inbox_streams import stream_groups
from commands.inbox_test import test_inbox
from commands.invitations import invitations
from commands.keys import keys
from commands.mail import mail
from commands.providers import providers
from commands.purge import purge
from commands.resources import resources
from commands.revocations import outbox
from commands.sessions import sessions
from commands.signing_keys import signing_keys
from commands.users import users


def init_app(app: Flask) -> None:
    """Add the commands to ``flask --app app``."""
    migrations.init_app(app)
    approvals.register(users)
    gates.add_command(gate_check)
    inbox.add_command(test_inbox)
    for group in stream_groups():
        inbox.add_command(group)
    moving.register(users)
    reinstating.register(users)
    admin.register(users)
    of_apps = (clients, resources, signing_keys, gates)
    of_people = (users, admin.admin, groups, access, invitations)
    of_server = (keys, outbox, mail, inbox, purge)
    for command in (providers, *of_people, sessions, *of_apps, *of_server):
        app.cli.add_command(command)
