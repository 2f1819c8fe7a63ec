"""Routes only: each parses its request, calls one verb and renders the answer.

Imports web, accounts and the rooms below; no view imports a command. Start reading at
``sign_in/login``.
"""
