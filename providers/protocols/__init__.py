"""The protocol clients: OAuth 2.0, OAuth 1.0a, OpenID Connect, ID tokens, Firebase.

They know providers as values and HTTP; no person, no table. ``flask_dance`` and its OAuth 1.0a twin
are the only door to Flask-Dance. Start reading at ``connector``, then ``oauth2``.
"""
