"""Bodies of unknown length (chunked): too long ones are refused, not cut, and so are malformed
ones."""

from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream

from errors import MalformedBody

MALFORMED = "The chunks of the body are malformed (RFC 9112 7.1)."


class BodyStream(LimitedStream):
    """A body up to a length. Werkzeug's own stops silently there in read(), so the beginning
    of a long body would pass for the whole."""

    def readinto(self, b: bytearray) -> int | None:  # type: ignore[override]
        with _refusing_malformed():
            return super().readinto(b)

    def readall(self) -> bytes:
        data = super().readall()
        with _refusing_malformed():
            is_longer = self.is_exhausted and bool(self._stream.read(1))
        if is_longer:
            raise RequestEntityTooLarge
        return data


@contextmanager
def _refusing_malformed() -> Iterator[None]:
    """Turn what the server's parser raises into a fault of the request. The server then closes the
    connection: nobody can tell where this request ends."""
    try:
        yield
    except (HTTPException, OSError):
        raise
    except Exception as error:  # each server has its own
        raise MalformedBody(MALFORMED) from error
