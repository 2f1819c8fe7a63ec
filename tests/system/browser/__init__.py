"""Quickstep in a real Chromium, with look-alike providers on another site."""
