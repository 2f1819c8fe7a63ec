"""Telemetry: log lines and metrics, without secrets.

This room imports nothing of ours, so that every room can use it. Start reading at ``logs``.
"""
