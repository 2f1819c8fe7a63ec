"""Ourselves as OpenID Provider: clients, authorization requests, grants, tokens, logout.

This room is the only writer of its tables. It imports accounts, models, storage, jobs and keys;
never a provider, a view or the room web, and it knows no request: views/oidc reads and answers
them. Accounts tell it through ``accounts.endings`` what has ended, in the same transaction. Start
reading at ``authorization``, then ``grants``.
"""
