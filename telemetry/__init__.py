"""What the server says of itself: log lines and metrics, without secrets.

Imports nothing of ours, so that every room can use it. Start reading at ``logs``.
"""
