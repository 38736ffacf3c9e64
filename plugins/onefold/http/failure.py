"""How an attempt can fail, and what is said when no further attempt is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from onefold.errors import Fatal, Retriable

_SECONDS = re.compile("[0-9]+")  # str.isdigit also says so of "²", which is no number
_DIGITS = 15
"""Of a number of seconds: more of them are an eternity either way."""


def times(attempts: int) -> str:
    """How often something was tried, for messages."""
    return "1 time" if attempts == 1 else f"{attempts} times"


class Again(Exception):
    """An attempt failed in a way that another attempt may fix. Its text names no value of the other side; `answer` is
    how foreign_text.described() tells of the answer. `begun`: the other side may have done what it was asked to."""

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        answer: str = "",
        retry_after: float | None = None,
        told_to_wait: bool = False,
        begun: bool = True,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
        self.answer = answer
        self.retry_after = retry_after
        self.told_to_wait = told_to_wait
        self.begun = begun

    def in_the_end(self, named: str, attempts: int, connection: str) -> Retriable:
        """What is raised when this was the last attempt."""
        advice = f"Check that the system is up and that the Airflow connection {connection!r} points at it"
        if self.retry_after is not None:
            advice = f"It asks to come back in {self.retry_after:.0f} s: run it then"
        elif self.told_to_wait:
            advice = "It says that we ask too much: run it later, or lower limits.rate in the system's YAML"
        return Retriable(
            f"{named} failed {times(attempts)}, the last time: {self.what}{in_brackets(self.answer)}. "
            f"{advice}; nothing was changed here."
        )


class NotSent(Exception):
    """A request that is sent at most once was surely not carried out: it was not sent, or refused before it began."""


class Unanswered(Exception):
    """Nobody knows whether a request that is sent at most once was carried out."""


class Unauthorized(Exception):
    """The system did not accept our sign-in; `proof` is what was shown, `headers` are those of its answer."""

    proof: str | None = None

    def __init__(self, answer: str, status: int, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(f"status {status}")
        self.answer = answer
        self.status = status
        self.headers = headers


class Refused(Fatal):
    """The system refused the request for good, with this HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class WriteRefused(Fatal):
    """The other side did not take a change for what it says, and nothing of it was written."""


class TooLarge(Fatal):
    """An answer had more bytes than it may have: the rest of it was not read."""


class QuotaExhausted(Retriable):
    """What may be asked of the system is used up for now. What it has answered is good; the rest can wait."""


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for: a number of seconds or an HTTP date (RFC 9110, 10.2.3).

    None for what is neither, as if it were not there. A date that is past means now.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text[:_DIGITS])
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def circuit_open(named: str, system: str, last: Again | None, seconds: float) -> Retriable:
    """What is raised instead of asking a system that keeps failing; `last` is how it failed last, when we know."""
    how = f", the last time: {last.what}{in_brackets(last.answer)}" if last else ""
    return Retriable(
        f"{named} was not sent: {system} failed so often in a row that its circuit breaker is open{how}. It is tried "
        f"again after {seconds:.0f} s; the data is untouched."
    )


def refusal(named: str, status: int, answer: str, connection: str, *, credentials: bool = False) -> Refused:
    """What is raised when the system refuses for good."""
    if credentials or status in (401, 403):
        advice = f"Check login, password and rights of the Airflow connection {connection!r}"
    elif status in (404, 410):
        advice = "The address is gone: compare the path in the system's YAML with the system's interface"
    else:
        advice = "The request does not fit the system's interface: compare the stream's YAML with it"
    return Refused(f"{named} was refused with status {status}{in_brackets(answer)}. {advice}.", status)


def in_brackets(answer: str) -> str:
    """How a message goes on about an answer; "" when there is nothing to tell of it."""
    return f" ({answer})" if answer else ""
