"""Sources that list nothing and are asked about single keys: what they are asked, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

LookupScope = Literal["open", "known", "feed"]
"""Which keys a look-up is asked about. `open`: those whose result is not fresh, and those of its feed that we hold.
`known`: those that the feed names in the window and that other systems name or we hold, fresh or not. `feed`: all that
the feed names in the window."""


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What the source answered about one key; `proof` is its own number of our request."""

    key: str
    outcome: Literal["found", "not_found", "deleted", "failed"]
    proof: str | None = None


class LookupKeys(Protocol):
    """The keys to ask about, always in one order, those that come after `after`. `changed` ones are asked about even
    when their result is fresh; in a scope other than `open` no others are."""

    def __call__(self, after: str | None, changed: Iterable[str], scope: LookupScope = "open") -> Iterator[str]: ...
