"""A file that is had by one GET: what its failure means for it and for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onefold.connectors.files.store import Found, Taken, Unreadable
from onefold.errors import Retriable
from onefold.http.attempt import Response
from onefold.http.client import Client
from onefold.http.failure import Again, Refused, TooLarge

CHANGED = frozenset({404, 412})
"""What a store answers about a file that is gone, or no longer has the ETag asked for (RFC 9110, If-Match)."""

FEW = 3
"""So many files one after another that cannot be fetched are those files' own fault; more are the store's."""


class Taking:
    """Takes files of a store over HTTP. `least` is how many bytes an answer may have: an error's may be larger than the
    file."""

    def __init__(self, http: Client, least: int) -> None:
        self._http = http
        self._least = least
        self._failed = 0

    def take(
        self,
        url: str,
        file: Found,
        headers: Mapping[str, str],
        whole: Callable[[Response], Taken | None],
        *,
        shown: str | None = None,
    ) -> Taken | None:
        """What `whole` makes of the answer. Raises Unreadable where it is the file's fault, Retriable where it is the
        store's."""
        try:
            taken = self._http.send(
                *("GET", url),
                headers=headers,
                accept=CHANGED,
                parse=whole,
                shown=shown,
                largest=max(file.size + 1, self._least),
            )
        except Retriable as error:
            self._failed += 1
            if not isinstance(error.__cause__, Again) or error.__cause__.told_to_wait or self._failed > FEW:
                raise
            raise Unreadable(
                f"the store does not give it, the last time: {error.__cause__.what}. It is asked for again by the next "
                "load; if it stays, have it put there anew, or take it away"
            ) from error
        except TooLarge as error:
            raise Unreadable("the store sends more of it than its list says: have it put there anew") from error
        except Refused as error:
            raise Unreadable(
                f"the store refuses it (status {error.status}): give the connection's login the right to read it, or "
                "take it away"
            ) from error
        self._failed = 0
        return taken
