"""Background work: the worker thread, and the lease on a job's row.

Rooms register their jobs; this room knows none of them. It imports only storage. Start reading at
``worker``.
"""
