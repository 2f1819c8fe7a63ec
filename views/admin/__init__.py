"""The operator's pages, below /admin: people, and what administrators did."""
