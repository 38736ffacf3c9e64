"""What the acceptance suite must know of a stream and the catalogue does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from onefold.connectors.window import BEGINNING


@dataclass(frozen=True)
class Case:
    """What the catalogue does not say about a stream.

    Attributes:
        path: occurs in the address or SOAP action of every request for records, and of no other.
        renamed: contract changes that reject a load, as field of the catalogue and its name on the wire.
        retyped: field, its name on the wire, the type that it gets, and how the message calls that type.
        vanishing: an optional field, and its name on the wire, that stops to come.
        ended: SQL that is true of a staged record that is gone at the source. Where it is not _deleted, the source
            only hints at it, and may hint at it for others too.
        small_pages: a number in a module that is made small, so that a small world has several pages.
        one: occurs in the address of the request for one {lookup_key} only; None where questions are asked in turn.
        tries: how many requests one question takes until it is given up; None: the attempts of the system's limits.
        history: where the whole past begins, when a source is asked for each day by itself.
        expiry: when a sign-in is made to end between two pages, as a fault's parameters.
        cannot_have: what the protocol or the source does not know, each with its reason: a fault by its kind, or
            one of "changes", "deletions", "newcomers", "broken rows", "several pages", "a cursor", "gone records" (a
            record that is gone is no longer given), "personal data", "several requests" (one answer holds all).
    """

    path: str
    renamed: tuple[tuple[str, str], ...] = ()
    vanishing: tuple[tuple[str, str], ...] = ()
    retyped: tuple[tuple[str, str, str, str], ...] = ()
    ended: str = "_deleted"
    small_pages: tuple[str, int] | None = None
    one: str | None = None
    tries: int | None = None
    history: datetime = BEGINNING
    expiry: Mapping[str, object] = field(default_factory=lambda: {"after": 1})
    cannot_have: Mapping[str, str] = field(default_factory=dict)
