"""Bodies of unknown length (chunked): too long ones are refused, not cut."""

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream


class BodyStream(LimitedStream):
    """A body up to a length. Werkzeug's own stops silently there in read(), so the beginning
    of a long body would pass for the whole."""

    def readall(self) -> bytes:
        data = super().readall()
        if self.is_exhausted and self._stream.read(1):
            raise RequestEntityTooLarge
        return data
