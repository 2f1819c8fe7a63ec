"""Signing in and out: the buttons, the callback, the questions in between, ID tokens of apps."""
