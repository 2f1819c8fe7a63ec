"""Groups of people, which rules and applications ask for, and invitations, which open accounts.

Owns the tables of memberships and of invitations. Imports models, storage and providers; never a
request, a page or a verb of accounts, which ask this room. Start reading at ``groups``, then
``invitations``.
"""
