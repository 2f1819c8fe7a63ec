"""Flask plumbing without routes: the application, guards, cookies, limits, headers, errors.

This room owns what every view needs: the request's state and its login, guards, headers, error
handlers, and the words that visitors read. Imports accounts and the rooms below it; never a view.
Start reading at ``context``, then ``authentication`` and ``guards``.
"""
