"""Groups of people, which rules and applications ask for.

Owns the table of memberships. Imports models and storage; never a request, a page or a verb of
accounts, which ask this room. Start reading at ``groups``.
"""
