"""Rows as Parquet files of texts, which warehouses in a cloud load: a text has no type that a reader of Parquet could
take for another, and NULL is not the empty text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import duckdb
import pandas as pd

from onefold.deliver.target import Text

ROWS = 100_000
"""Rows of one file; that many are held in memory at once."""


def name_of(at: int) -> str:
    """What the column at this place is called in the files."""
    return f"c{at}"


def parquet_texts(folder: Path, width: int, rows: Iterator[Sequence[Text]]) -> Iterator[tuple[Path, int]]:
    """Write rows of `width` texts; gives each file, which is deleted when the next is asked for, and its rows."""
    names = [name_of(at) for at in range(width)]
    with duckdb.connect(config={"pandas_analyze_sample": "0"}) as connection:
        number = 0
        while some := list(islice(rows, ROWS)):
            path = folder / f"{number}.parquet"
            connection.register("rows_to_load", pd.DataFrame(some, columns=names, dtype=object))
            written = ", ".join(f"cast({name} as varchar) as {name}" for name in names)
            escaped = str(path).replace("'", "''")
            connection.execute(f"copy (select {written} from rows_to_load) to '{escaped}' (format parquet)")
            connection.unregister("rows_to_load")
            yield path, len(some)
            path.unlink()
            number += 1
