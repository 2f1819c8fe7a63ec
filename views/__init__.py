"""Routes only: each view parses its request, calls one verb and renders the response.

This room imports web, accounts and the rooms below; no view imports a command. Start reading at
``sign_in/callback``.
"""
