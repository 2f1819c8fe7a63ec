"""Keys and what is done with them: sealing at rest, and signed tokens (RFC 7515, 7519).

The one door to joserfc and cryptography. Imports errors alone; knows no provider, no person and
no row. Start reading at ``sealing`` for secrets at rest, at ``jwt`` for tokens.
"""
