"""Provider tokens: sealed in their rows, refreshed one at a time, revoked when they are given up.

Imports models, providers and keys; knows neither accounts nor requests. Start reading at
``tokens``.
"""
