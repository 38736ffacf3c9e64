"""A request that may change something: sent once, save where the system surely did not begin with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from onefold.errors import OnefoldError
from onefold.http.attempt import Response
from onefold.http.failure import NotSent, Refused, TooLarge, Unanswered, Unauthorized

T = TypeVar("T")
Parse = Callable[[Response], T]


def sent_once(
    attempt: Callable[[Parse[T]], T],
    parse: Parse[T],
    renew: Callable[[Unauthorized], bool],
    refused: Callable[[Unauthorized], Refused],
) -> T:
    """What `attempt` gives of one request, whose answer `parse` reads; made once more where the sign-in was not
    accepted and `renew` has another one. Raises NotSent, Unanswered, Refused, and what `parse` raises."""
    answered = False

    def parsed(response: Response) -> T:
        nonlocal answered
        answered = True
        return parse(response)

    try:
        try:
            return attempt(parsed)
        except Unauthorized as error:
            if not renew(error):
                raise NotSent(str(refused(error))) from error
        return attempt(parsed)
    except Unauthorized as error:
        raise NotSent(str(refused(error))) from error
    except TooLarge as error:
        raise Unanswered(f"{error} Nobody knows whether it was carried out") from error
    except Refused:
        raise
    except OnefoldError as error:
        if answered:
            raise
        raise NotSent(str(error)) from error  # by what comes before the request: the sign-in, TLS
