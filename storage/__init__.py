"""The database: engine, transactions, compiled statements and schema.

This room is the only door to SQLAlchemy's engine; ``atomic`` is the only way to commit. It knows
none of our tables: they are declared in models.py and in the rooms that own them. It imports only
config. Start reading at ``transactions``, then ``compiled``.
"""

from storage.transactions import atomic, db
from storage.types import Base, is_id, new_id, now

__all__ = ["Base", "atomic", "db", "is_id", "new_id", "now"]
