"""Routes of the gate: what proxies ask (``check``, ``forward_auth``), and the page that a browser
is sent to (``enter``)."""
