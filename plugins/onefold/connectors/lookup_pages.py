"""Asks a source about one key at a time, or a few: pages of results in the order of the keys, resumable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
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
from onefold.http.failure import Again, QuotaExhausted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What one request brought: a result for each of its keys, and the records of those that were found; `snapshots`
    are the partitions of the stream that these records are all of."""

    results: list[LookupResult]
    records: list[Record] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)
    error: Retriable | None = None


LookUp = Callable[[Sequence[str]], Found]


def lookup_pages(
    keys: Iterator[str], look_up: LookUp, *, batch: int, per_page: int, threads: int, named: str, resumed: bool = False
) -> Iterator[Page]:
    """Pages of at most `per_page` keys, looked up `batch` at a time by `threads` threads, in their order.

    A request that fails for good gives 'failed' results and no record, so that a good result that is stored stays. When
    our quota is used up, the pages end there: what was answered (`resumed`: in an attempt before, too) is good, and
    the other keys stay open. Raises Retriable when the source as a whole is not to be asked (breaker open, told
    to wait, no quota for even one key), and when not one of several keys was answered: that is no odd
    company but a source that is down.
    """
    good, failed = 0, 0
    with closing(_each(keys)) as open_keys, ThreadPoolExecutor(threads, f"ask-{named}") as pool:
        asked = list(islice(open_keys, per_page))
        while asked:
            at = datetime.now(UTC)
            batches = [asked[first : first + batch] for first in range(0, len(asked), batch)]
            answers = list(pool.map(lambda values: _one(look_up, values, named), batches))
            following = list(islice(open_keys, per_page))
            errors = [found.error for found in answers if found.error]
            failed += sum(len(found.results) for found in answers if found.error)
            good += len(answers) - len(errors)
            exhausted = next((error for error in errors if isinstance(error, QuotaExhausted)), None)
            if exhausted:
                if not good and not resumed:
                    raise exhausted
                log.warning("%s: the keys from here on stay open until there is quota again: %s", named, exhausted)
                following = []
            elif errors and not following and not good and failed > 1:
                raise errors[-1]
            yield Page(
                records=[record for found in answers for record in found.records],
                extracted_at=at,
                token=asked[-1] if following else None,
                lookup_results=tuple(result for found in answers for result in found.results),
                ended=tuple(Partition(name, snapshot_since=at) for found in answers for name in found.snapshots),
            )
            asked = following


def _each(keys: Iterator[str]) -> Generator[str]:
    """The keys; when this is closed they are too, and with them the connection that they come from."""
    yield from keys


def _one(look_up: LookUp, keys: Sequence[str], named: str) -> Found:
    try:
        return look_up(keys)
    except QuotaExhausted as error:
        return Found([LookupResult(key, "failed") for key in keys], error=error)
    except Retriable as error:
        if concerns_every_key(error):
            raise
        log.warning("%s: %d keys stay open, to be asked about again next time: %s", named, len(keys), error)
        return Found([LookupResult(key, "failed") for key in keys], error=error)


def concerns_every_key(error: Retriable) -> bool:
    """Whether every other key would fail alike: only attempts that were made and failed say nothing of others."""
    cause = error.__cause__
    return not isinstance(cause, Again) or cause.told_to_wait
