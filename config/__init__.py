"""The settings, built once from the environment and ``.env``; every fault is reported at once.

This room owns the settings, the registrations (how this site is registered at each provider), and
the validators of both. It is the only door to the environment, and imports only errors. Start
reading at ``settings``.
"""

from config.settings import ROOT, Settings, embedded_secret_key, load

__all__ = ["ROOT", "Settings", "embedded_secret_key", "load"]
