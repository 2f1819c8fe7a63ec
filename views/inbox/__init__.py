"""The routes for what providers report, and the status page of a deletion."""
