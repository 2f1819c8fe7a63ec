"""Reports of providers: a permission taken back, an account hijacked, data to be deleted.

One file a dialect in ``dialects/`` turns what came into a Notice, or refuses it; the notice leads
to verbs of accounts, within the transaction that keeps its receipt. The room names providers, but
asks none while it answers. It imports accounts, keys, vault, models and storage; never Flask's
request or a page: views/inbox/ has the routes. Start reading at ``notices``, then ``taking``.
"""
