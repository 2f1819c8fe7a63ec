"""Flask plumbing without routes: the application, guards, cookies, limits, headers, errors.

Everything that a view needs and that is no view. Imports accounts and the rooms below it; never
a view. Start reading at ``context``, then ``guards``.
"""
