"""The operator's rules on who may come in and as what, and the groups of people.

Owns the table of memberships. Imports models, storage and providers; never a request, a page or a
verb of accounts, which ask this room. Start reading at ``rules``, then ``groups``.
"""
