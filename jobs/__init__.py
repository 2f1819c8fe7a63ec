"""Work beside the requests: the background thread, and one way to lease a job's row.

Rooms register their jobs; jobs knows none of them. Imports storage alone. Start reading at
``worker``.
"""
