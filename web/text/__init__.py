"""The catalogue: everything a visitor reads that is not in a template, by code.

``errors`` has the words of the error tree, ``error_pages`` those of the HTTP errors, ``messages``
what a page says after an act, ``events`` the sentences of the activity list, ``devices`` and
``words`` the rest. Another language is another set of these tables. Imports no other module of web.
"""
