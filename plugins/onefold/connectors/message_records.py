"""Records in the bodies of messages: of webhooks, and of queues."""

from __future__ import annotations

from onefold.connectors.lenient_json import raw_elements, raw_value
from onefold.connectors.record import Record
from onefold.connectors.records import Head


class MessageRecords:
    """Takes records out of the bodies of messages: the body itself, or what stands at a path of it, one or a list."""

    def __init__(self, named: str, path: tuple[str, ...], head: Head) -> None:
        self._named = named
        self._path = path
        self._head = head

    def of(self, body: bytes) -> list[Record]:
        """The records; a body in which they cannot be found is one without a key, for quarantine."""
        raws = self._raws(body)
        return [self._head.record(raw) for raw in raws] if raws is not None else [Record(None, None, False, body)]

    def _raws(self, body: bytes) -> list[bytes] | None:
        if not self._path:
            return [body]
        try:
            text = body.decode()
            if (elements := raw_elements(text, self._path)) is not None:
                return [each.encode() for each in elements]
            value = raw_value(text, self._path)
        except (ValueError, RecursionError):
            return None
        return None if value is None else [value.encode()]
