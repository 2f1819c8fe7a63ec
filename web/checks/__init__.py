"""The checks of a provider, which ``providers check`` and the operator's pages run. Each says what
it found and what to do; start reading at ``provider``."""
