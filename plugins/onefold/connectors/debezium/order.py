"""Where in its source's log an event stands, as text of fixed width (Debezium: "Source metadata" of each connector).

Not by its time: `ts_ms` is the same for all of a transaction, and may go back.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from onefold.errors import Fatal


class Source(msgspec.Struct):
    """What an event says of where it comes from, as far as it orders events."""

    connector: str = ""
    # PostgreSQL: [end of the last transaction before, position of the change], and that position again
    sequence: str | None = None
    lsn: int | None = None
    # MySQL, MariaDB
    file: str | None = None
    pos: int | None = None
    row: int | None = None
    # SQL Server
    commit_lsn: str | None = None
    change_lsn: str | None = None
    event_serial_no: int | None = None


_NUMBERED = re.compile(r".*\.(\d{1,20})")


def place_of(source: Source, named: str) -> str:
    """The event's place. Raises Fatal when the source is none whose events can be ordered."""
    write = _PLACES.get(source.connector)
    try:
        if write:
            return write(source)
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        raise Fatal(
            f"{named}: an event of Debezium's connector {source.connector} does not say where in the log it stands, so "
            "it cannot be ordered. See that `source` is left in the events as Debezium writes it."
        ) from error
    raise Fatal(
        f"{named}: events of Debezium's connector {source.connector or '(none named)'} cannot be ordered here; there "
        f"are {', '.join(sorted(_PLACES))}. See that `source` is left in the events, or take envelope out of the "
        "stream's YAML and name its cursor."
    )


def _postgresql(source: Source) -> str:
    """The position of a change rises within its transaction only; that of the commit before it, from one to the next.

    The first transaction after a snapshot, and the snapshot itself, have none before them.
    """
    before, own = msgspec.json.decode(source.sequence or "[null, null]", type=tuple[str | None, str | None])
    position = int(own if own is not None else _known(source.lsn))
    return f"{int(before) if before is not None else position:020d}.{position:020d}"


def _binlog(source: Source) -> str:
    numbered = _NUMBERED.fullmatch(source.file or "")
    if numbered is None:
        raise ValueError("a file of the binlog has a number")
    return f"{int(numbered[1]):020d}.{_known(source.pos):020d}.{source.row or 0:010d}"


def _sqlserver(source: Source) -> str:
    """Log sequence numbers of three parts in hexadecimal, of a fixed width."""
    commit = source.commit_lsn or ""
    if not commit:
        raise ValueError("no commit_lsn")
    return f"{commit}.{source.change_lsn or commit}.{source.event_serial_no or 0:010d}"


def _known(position: int | None) -> int:
    if position is None:
        raise ValueError("no position")
    return position


_PLACES: dict[str, Callable[[Source], str]] = {
    "postgresql": _postgresql,
    "mysql": _binlog,
    "mariadb": _binlog,
    "sqlserver": _sqlserver,
}
