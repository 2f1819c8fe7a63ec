"""Settings, read once from the environment and ``.env``; all faults are reported together.

Owns the settings, the registrations at providers, and the validators of both. It is the only door
to the environment. Imports errors alone. Start reading at ``groups``, then ``settings``.
"""

from config.embedded_key import embedded_secret_key
from config.settings import ROOT, Settings, load, load_or_exit

__all__ = ["ROOT", "Settings", "embedded_secret_key", "load", "load_or_exit"]
