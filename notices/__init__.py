"""Notices to people and operators: mail, written in the transaction of its event and sent after it.

``mails`` is the outbox, ``sending`` works through it, ``messages`` and ``text`` make a message of a
row, ``smtp`` is the one door to the mail server. Other rooms say what happened and to which
addresses; this one knows no people, no providers and no request. It imports jobs, keys, config,
storage, telemetry and models. Start reading at ``mails``, then ``sending``.
"""
