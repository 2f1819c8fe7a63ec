"""HTTP out: the only transport to providers, its connections and its circuit breaker.

This is the only door for outgoing requests. It knows no protocol and no provider. Start reading at
``transport``.
"""
