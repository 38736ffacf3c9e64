"""The warehouse as its superuser, for commands that change who may sign in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg


@contextmanager
def as_superuser() -> Iterator[psycopg.Connection]:
    """Raises Fatal when the warehouse does not run here, or refuses."""
    import psycopg

    from onefold.errors import Fatal
    from onefold.platform.warehouse import superuser_url
    from onefold.warehouse.connection import connect

    try:
        with connect(superuser_url(), autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise Fatal(f"The warehouse refused (SQLSTATE {error.sqlstate}). Nothing more was changed.") from None
