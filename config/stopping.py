"""How the server stops listening without losing a connection that the kernel has accepted for it.

gunicorn closes its listening sockets and with them every connection that no worker has fetched. A
proxy does not repeat a POST that was lost so. Therefore a stop has an order: the master lets no new
connection begin (``refuse_connections_at_stop``), each worker fetches those that are complete, and
then gives up its socket and stops (``drain_at_stop``).
"""

import ctypes
import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType
from typing import Protocol

# A worker that is stopping fetches waiting connections at least and at most so long.
MIN_DRAIN_SECONDS, MAX_DRAIN_SECONDS = 0.05, 5.0

# include/uapi/asm-generic/socket.h; Python has no name for it.
SO_ATTACH_FILTER = 26
# Classic BPF over a TCP header, one instruction per line: code, jump if true, jump if false, value.
# https://docs.kernel.org/networking/filter.html
NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x45, 0, 1, 0x02),  # is SYN set?
    (0x06, 0, 0, 0),  # then drop the packet: the client sends it again after a second
    (0x06, 0, 0, 0xFFFF),  # else keep it: a handshake that has begun ends
)


class Listener(Protocol):
    """A listening socket of gunicorn's."""

    def fileno(self) -> int: ...


class Master(Protocol):
    """The part of gunicorn's arbiter that this module reads."""

    pid: int
    master_pid: int
    reexec_pid: int
    systemd: bool
    LISTENERS: list[Listener]


def refuse_connections_at_stop(master: Master) -> None:
    """Make SIGTERM first drop the handshakes of new connections, if the sockets end with us.

    systemd's sockets outlive the server, and after SIGUSR2 a second master shares ours.
    """

    stop = signal.getsignal(signal.SIGTERM)
    assert callable(stop)  # gunicorn's

    def refuse_and_stop(number: int, frame: FrameType | None) -> None:
        is_shared = master.systemd or master.reexec_pid or master.master_pid
        if os.getpid() == master.pid and not is_shared:  # a new worker has this handler, briefly
            for listener in master.LISTENERS:
                _drop_new_connections(listener.fileno())
        stop(number, frame)

    signal.signal(signal.SIGTERM, refuse_and_stop)


def _drop_new_connections(listener: int) -> None:
    """Attach a filter to the socket, which is one for all processes; Linux only."""
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in NO_SYN)
    program = ctypes.create_string_buffer(code)
    with suppress(OSError), socket.socket(fileno=os.dup(listener)) as shared:
        program_of = struct.pack("HP", len(NO_SYN), ctypes.addressof(program))
        shared.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program_of)


def drain_at_stop(listeners: Iterable[Listener]) -> threading.Event:
    """Make SIGTERM fetch waiting connections and give up the sockets; return "is stopping".

    gunicorn would keep the sockets until a stopping worker has ended, and the kernel would go on
    accepting connections that nobody answers. If a connection is refused, a proxy asks the next
    instance.
    """
    is_stopping = threading.Event()
    stop = signal.getsignal(signal.SIGTERM)
    assert callable(stop)  # gunicorn's
    listeners = list(listeners)

    def drain_then_stop(number: int, frame: FrameType | None) -> None:
        if not is_stopping.is_set():
            is_stopping.set()
            # gunicorn's own loop accepts meanwhile, in the thread that runs this handler.
            threading.Thread(target=_signal_when_drained, args=(listeners,), daemon=True).start()
            return
        _give_up(listeners)
        stop(number, frame)

    signal.signal(signal.SIGTERM, drain_then_stop)
    return is_stopping


def _signal_when_drained(listeners: list[Listener]) -> None:
    waiting = select.poll()
    for listener in listeners:
        waiting.register(listener.fileno(), select.POLLIN)
    deadline = time.monotonic() + MAX_DRAIN_SECONDS
    time.sleep(MIN_DRAIN_SECONDS)
    while waiting.poll(0) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)


def _give_up(listeners: Iterable[Listener]) -> None:
    """Replace this process's share of each socket; the kernel closes it with the last process's.

    After a reload the master and the new workers still have theirs.
    """
    with suppress(OSError):  # no file left, or no abstract sockets (macOS): change nothing
        nowhere = socket.socket(socket.AF_UNIX)
        nowhere.setblocking(False)
        nowhere.bind("")
        nowhere.listen()
        for listener in listeners:  # not close(): gunicorn may be about to call accept()
            os.dup2(nowhere.fileno(), listener.fileno(), inheritable=False)
