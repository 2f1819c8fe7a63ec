"""The database: engine, transactions, compiled statements and schema.

The one door to SQLAlchemy's engine; ``atomic`` is the only way a write is committed. Knows no
table of ours: rows are declared in models.py and in the rooms that own them. Imports config
alone. Start reading at ``transactions``, then ``compiled``.
"""

from storage.transactions import atomic, db
from storage.types import Base, is_id, new_id, now

__all__ = ["Base", "atomic", "db", "is_id", "new_id", "now"]
