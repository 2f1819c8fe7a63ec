"""The protocol clients: OAuth 2.0, OAuth 1.0a, OpenID Connect, ID tokens, Firebase.

Knows providers as values and HTTP; no person, no table. Start reading at ``oauth2``.
"""
