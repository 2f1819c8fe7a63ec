"""Signing in and out: the buttons, the callback, the pending questions, ID tokens of apps."""
