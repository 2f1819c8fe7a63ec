"""Settings, built once from the environment and ``.env``; every fault is named at once.

Owns the settings, how this site is registered at each provider, and the validators of both.
The only door to the environment. Imports errors alone. Start reading at ``settings``.
"""

from config.settings import ROOT, Settings, embedded_secret_key, load

__all__ = ["ROOT", "Settings", "embedded_secret_key", "load"]
