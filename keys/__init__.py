"""Keys and their use: sealing at rest, and signed tokens (RFC 7515, 7519).

This room is the only door to joserfc and cryptography. It imports only errors, and knows no
provider, no person and no row. Start reading at ``sealing`` for secrets at rest, at ``jwt`` for
tokens.
"""
