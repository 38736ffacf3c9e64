"""One record of a source."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as the source gave it. `cursor` is canonical text whose byte order is the cursor's order; `payload`
    is JSON.

    A msgspec.Struct: there are millions of them, and a dataclass takes five times as long to make.
    """

    key: str | None
    cursor: str | None
    deleted: bool
    payload: bytes
