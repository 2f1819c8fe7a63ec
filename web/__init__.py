"""Flask plumbing without routes: the application, guards, cookies, limits, headers, errors.

This room has everything that views share. It imports accounts and the rooms below; never a view.
Start reading at ``context``, then ``guards``.
"""
