"""Background work: workers, periodic jobs, and the lease on a row.

Rooms register their jobs at the start of an application (``Jobs.add``); this room knows none of
them. Owns the table of periodic jobs. Imports only storage. Start reading at ``registry``, then
``leases``.
"""
