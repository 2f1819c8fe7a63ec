"""HTTP out: the one bounded transport to providers, its connections and its circuit breaker.

The only door for outgoing requests. Knows no protocol and no provider. Start reading at
``transport``.
"""
