"""The administrators' API: what the operator's pages do, for programs.

A program authenticates with an access token of its own (client credentials) that has the scope
admin. No person's token opens it, whatever they consented to. ADMIN_API=on adds these routes.
"""
