"""Provider tokens: sealed in their rows, refreshed one at a time, revoked after their identity is
removed.

This room imports models, jobs, storage, providers and keys; it knows neither accounts nor requests.
Start reading at ``tokens``.
"""
