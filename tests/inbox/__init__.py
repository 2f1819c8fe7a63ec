"""Reports of providers, over real HTTP."""
