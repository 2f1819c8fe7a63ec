"""gunicorn's thread worker, with a calmer way to hand out requests and to end connections.

What differs from gunicorn's own ``gthread``:

- The thread that was busy last gets the next request, and nobody else is woken for it, nor for its
  end where the connection is kept: a third of what a small request costs, half where it comes on a
  new connection. What a thread keeps, such as SQLite's connection, stays warm.
- No thread waits for somebody who has connected and says nothing, nor for somebody who was
  answered and does not hang up: the poller does. gunicorn's own gives the former a thread for five
  seconds, and the latter two seconds of its main loop, in which nobody is let in.
- A worker that is to stop takes what waits at its door, and shuts it at once. gunicorn's own leaves
  it open until its last request has ended: who comes meanwhile waits all that time and is then
  turned away, where a proxy could have gone elsewhere.
"""

import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from crew import Crew
from siblings import Siblings

# Who has connected has said something by then.
FIRST_WORD_SECONDS = 10.0
# Who was answered has hung up by then; until then what they still send is read and thrown away,
# because a connection closed over unread bytes can take the answer with it (RFC 9112, 9.6).
LINGER_SECONDS = 2.0
MAX_DRAINED_BYTES = 65536
# How often gunicorn's master is told that a busy worker lives; --timeout is in seconds.
NOTIFY_SECONDS = 0.25


class _Done:
    """What gunicorn asks of a future: how a connection's turn ended."""

    def __init__(self, answer: object, error: BaseException | None = None) -> None:
        self._answer, self._error = answer, error

    @property
    def is_parting(self) -> bool:
        """All is said, and the connection is not kept."""
        return self._error is None and self._answer is False

    @property
    def is_kept(self) -> bool:
        """It waits for the next request."""
        return self._error is None and self._answer is True

    def cancelled(self) -> bool:
        return False

    def result(self) -> object:
        if self._error:
            raise self._error
        return self._answer


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """See the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Answered, and yet to hang up: the first to be given up comes first.
        self._lingering: deque[TConn] = deque()
        self._notified_at = -1.0
        self._is_shut = False
        self.siblings: Siblings | None = None

    def run(self) -> None:
        if self.siblings:
            self.poller.register(self.siblings.bell, selectors.EVENT_READ, self._hear)
        super().run()

    def _hear(self, _bell: int) -> None:
        if self.siblings:
            self.siblings.hear()

    # Requests.

    def get_thread_pool(self) -> Crew:
        return Crew(self.cfg.threads)

    def enqueue_req(self, conn: TConn) -> None:
        self.tpool.submit(partial(self._serve, conn))

    def _serve(self, conn: TConn) -> None:
        try:
            done = _Done(self.handle(conn))
        except BaseException as error:  # noqa: BLE001 (the main loop looks at it)
            done = _Done(False, error)
        if not (done.is_kept and self._keep(conn)):
            self.method_queue.defer(self.finish_request, conn, done)

    def _keep(self, conn: TConn) -> bool:
        """Have the poller wait for the next request of this connection; from this thread, so that
        the main loop, which would only do the same, need not be woken. False: it must be."""
        if not isinstance(self.poller, selectors.EpollSelector) or _has_more(conn):
            return False
        conn.sock.setblocking(False)
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        if not self.alive:  # the main loop may have looked at all of them already
            conn.timeout = min(conn.timeout, time.monotonic() + LINGER_SECONDS)
        try:
            self.poller.register(
                conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn)
            )
        except (OSError, ValueError, KeyError):  # there is no poller any more, or no room in it
            self.keepalived_conns.remove(conn)
            return False
        return True

    def notify(self) -> None:
        """A sign of life, not with every request."""
        if (moment := time.monotonic()) >= self._notified_at + NOTIFY_SECONDS:
            self._notified_at = moment
            super().notify()

    # Connections.

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        if self.cfg.is_ssl or _has_spoken(client):
            conn.data_ready = not self.cfg.is_ssl
            self.enqueue_req(conn)
        else:
            conn.timeout = time.monotonic() + FIRST_WORD_SECONDS
            self.pending_conns.append(conn)
            self.poller.register(
                client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
            )

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if _has_hung_up(client):
            self._forget(conn, self.pending_conns)
        else:
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if not self.cfg.is_ssl and _has_hung_up(client):
            self._forget(conn, self.keepalived_conns)
        else:
            super().on_client_socket_readable(conn, client)

    def finish_request(self, conn: TConn, fs: _Done) -> None:
        if fs.is_parting and not self.cfg.is_ssl:
            self._part(conn)
        else:
            super().finish_request(conn, fs)

    def _part(self, conn: TConn) -> None:
        """Say that nothing more will come, and wait beside everything else for them to go."""
        conn.drained = 0
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:  # they have gone
            self._close(conn)
            return
        if _is_drained(conn):
            self._close(conn)
            return
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self._lingering.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_more, conn))

    def _on_more(self, conn: TConn, _client: socket.socket) -> None:
        if _is_drained(conn):
            self._forget(conn, self._lingering)

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        while self._lingering and self._lingering[0].timeout <= now:
            self._forget(self._lingering[0], self._lingering)

    def _forget(self, conn: TConn, those: "deque[TConn]") -> None:
        those.remove(conn)
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    # The end.

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if enabled or self.alive or self._is_shut:
            return
        self._is_shut = True  # it is asked for twice where the worker was full at that moment
        for listener in self.sockets:
            before = None
            while before != self.nr_conns < self.worker_connections:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        soon = time.monotonic() + LINGER_SECONDS
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, soon)

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in list(self.keepalived_conns):  # to which other threads add (_keep)
            conn.timeout = min(conn.timeout, deadline)


def _has_spoken(client: socket.socket) -> bool:
    """Whether there is something to read: a request, or that they have gone."""
    try:
        client.recv(1, socket.MSG_PEEK)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


def _has_hung_up(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return False


def _is_drained(conn: TConn) -> bool:
    """Read what is there; whether that was the last of it, or too much."""
    try:
        while data := conn.sock.recv(4096):
            conn.drained += len(data)
            if conn.drained > MAX_DRAINED_BYTES:
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _has_more(conn: TConn) -> bool:
    """Whether a part of the next request was read with this one: the poller would not see it."""
    return bool(conn.parser.unreader.buf.getvalue())
