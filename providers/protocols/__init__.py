"""The protocol clients: OAuth 2.0, OAuth 1.0a, OpenID Connect, ID tokens, Firebase.

A connector is one provider as registered and wired here. The clients know providers as values,
and HTTP; no Flask, no person, no table. ``flask_dance`` and its twin put routes in front of them.
Start reading at ``connector``, then ``oauth2``.
"""
