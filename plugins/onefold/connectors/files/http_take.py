"""A file that is had by one GET: what its failure means for it and for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onefold.connectors.files.store import Found, Taken, Unreadable, copied
from onefold.errors import Retriable
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.failure import Again, Refused, TooLarge
from onefold.http.spool import chunks

CHANGED = frozenset({404, 412})
"""What a store answers about a file that is gone, or no longer has the ETag asked for (RFC 9110, If-Match)."""

FEW = 3
"""So many files one after another that cannot be fetched are those files' own fault; more are the store's."""


class Taking:
    """Takes files of a store over HTTP. `tag_of` is what an answer says of its file's tag; `least` how many bytes an
    answer may have: an error's may be larger than the file. `shown` is written down in place of a file's address."""

    def __init__(
        self, http: Client, tag_of: Callable[[Response], str], least: int, *, shown: str | None = None
    ) -> None:
        self._http = http
        self._tag_of = tag_of
        self._least = least
        self._shown = shown
        self._failed = 0

    def take(self, url: str, file: Found, headers: Mapping[str, str]) -> Taken | None:
        """The file as it was when it was found; None when it is another one by now, or gone. Raises Unreadable where it
        is the file's fault, Retriable where it is the store's."""
        try:
            taken = self._http.send(
                *("GET", url),
                headers=headers,
                accept=CHANGED,
                parse=lambda response: self._whole(response, file),
                shown=self._shown,
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

    def _whole(self, response: Response, file: Found) -> Taken | None:
        if response.status in CHANGED or self._tag_of(response) != file.tag:
            return None
        if response.size != file.size:
            raise BadBody("a file with another number of bytes than the store's list says")
        response.file.seek(0)
        return copied(chunks(response.file), file.size)
