"""Asks a source one value at a time, or a few: pages of answers in the order of the questions, resumable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from onefold.connectors.lookup import LookupResult
from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.errors import Retriable
from onefold.http.failure import Again, Spent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request brought: the answers to its questions, and the records of those that were found; `whole` are the
    parts of the stream that these records are all of."""

    answers: list[LookupResult]
    records: list[Record] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    error: Retriable | None = None


Ask = Callable[[Sequence[str]], Asked]


def answered_pages(
    questions: Iterator[str], ask: Ask, *, batch: int, per_page: int, threads: int, named: str, resumed: bool = False
) -> Iterator[Page]:
    """Pages of at most `per_page` questions, asked `batch` at a time by `threads` threads, in their order.

    A request that fails for good gives 'failed' answers and no record, so that a good answer that is held stays. When
    our quota is used up, the pages end there: what was answered (`resumed`: in an attempt before, too) is good, and
    the other questions stay open. Raises Retriable when the source as a whole is not to be asked (breaker open, told
    to wait, no quota for even one question), and when not one of several questions was answered: that is no odd
    company but a source that is down.
    """
    good, failed = 0, 0
    with closing(_each(questions)) as open_questions, ThreadPoolExecutor(threads, f"ask-{named}") as pool:
        asked = list(islice(open_questions, per_page))
        while asked:
            at = datetime.now(UTC)
            batches = [asked[first : first + batch] for first in range(0, len(asked), batch)]
            results = list(pool.map(lambda values: _one(ask, values, named), batches))
            following = list(islice(open_questions, per_page))
            errors = [result.error for result in results if result.error]
            failed += sum(len(result.answers) for result in results if result.error)
            good += len(results) - len(errors)
            spent = next((error for error in errors if isinstance(error, Spent)), None)
            if spent:
                if not good and not resumed:
                    raise spent
                log.warning("%s: the questions from here on stay open until there is quota again: %s", named, spent)
                following = []
            elif errors and not following and not good and failed > 1:
                raise errors[-1]
            yield Page(
                records=[record for result in results for record in result.records],
                extracted_at=at,
                token=asked[-1] if following else None,
                answers=tuple(answer for result in results for answer in result.answers),
                ended=tuple(Partition(name, snapshot_since=at) for result in results for name in result.whole),
            )
            asked = following


def _each(questions: Iterator[str]) -> Iterator[str]:
    """The questions; when this is closed they are too, and with them the connection that they come from."""
    yield from questions


def _one(ask: Ask, values: Sequence[str], named: str) -> Asked:
    try:
        return ask(values)
    except Spent as error:
        return Asked([LookupResult(value, "failed") for value in values], error=error)
    except Retriable as error:
        if stands_for_the_source(error):
            raise
        log.warning("%s: %d questions stay open, to be asked again next time: %s", named, len(values), error)
        return Asked([LookupResult(value, "failed") for value in values], error=error)


def stands_for_the_source(error: Retriable) -> bool:
    """Whether every other question would fail alike: only attempts that were made and failed say nothing of others."""
    cause = error.__cause__
    return not isinstance(cause, Again) or cause.told_to_wait
