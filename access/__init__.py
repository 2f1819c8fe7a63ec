"""The operator's rules on who may come in and as what, the groups of people, and invitations.

Owns the tables of memberships and of invitations. Imports models, storage and providers; never a
request, a page or a verb of accounts, which ask this room. Start reading at ``rules``, then
``groups`` and ``invitations``.
"""
