"""Notices to people and operators: mails and webhooks, written in the transaction of their event
and sent after it.

``mails`` is the outbox of mails, ``sending`` works through it, ``messages`` and ``text`` make a
message of a row, ``smtp`` is the one door to the mail server. ``webhooks`` is the outbox of
messages to ``endpoints``, and ``deliveries`` works through it. Other rooms say what happened and to
which addresses; this one knows no people, no providers and no request. It imports jobs, keys,
config, storage, telemetry and models. Start reading at ``mails``, then ``sending``; or at
``webhooks``, then ``deliveries``.
"""
