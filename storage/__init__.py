"""The database: engine, transactions, compiled statements and schema.

The one door to SQLAlchemy's engine; ``atomic`` is the only way a write is committed. Knows no
table of ours: rows are declared in models.py and in the rooms that own them. Start reading at
``database``.
"""
