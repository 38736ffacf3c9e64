"""One load by dlt in this process, which runs in the benchmark's own environment: prints its seconds as JSON.

Pages are read and libraries imported before the clock starts. "tuned" is what dlt's documentation offers for speed
("Optimizing dlt", "Postgres", "Merge loading"): CSV, so that it loads by COPY, files uncompressed, both cores for
normalize and load with a file for each at least, and for a merge the word that the data has no duplicates.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

url, folder, shape, strategy, settings = sys.argv[1:]
TUNED = settings == "tuned"
CORES = FILES = 2
# dlt reads its settings from the environment.
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
if TUNED:
    os.environ |= {
        "NORMALIZE__WORKERS": str(CORES),
        "LOAD__WORKERS": str(CORES),
        "DATA_WRITER__DISABLE_COMPRESSION": "true",
    }

import dlt  # noqa: E402 - after its settings
import orjson  # noqa: E402
import pyarrow as pa  # noqa: E402

Record = dict[str, object]
Page = list[Record] | pa.Table


def dicts(records: list[Record]) -> Page:
    """What a REST API gives, as it is: dlt types it and makes a column of each field."""
    return records


def documents(records: list[Record]) -> Page:
    """Key, cursor and the whole record in one jsonb column, as Onefold keeps it."""
    return [{"Id": each["Id"], "Changed": each["Changed"], "payload": each} for each in records]


def arrow(records: list[Record]) -> Page:
    """A column of each field, typed by Arrow: dlt hands the table on without looking at its rows."""
    return pa.Table.from_pylist(records)


SHAPES: dict[str, Callable[[list[Record]], Page]] = {"dicts": dicts, "documents": documents, "arrow": arrow}


def load() -> float:
    """Load the pages in folder/first, and for a merge then those in folder/second; returns the last one's seconds."""
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=tempfile.mkdtemp(dir=folder),
        destination=dlt.destinations.postgres(url),
        dataset_name="dlt_bench",
    )
    merge = {"disposition": "merge", "strategy": strategy, **({"deduplicated": True} if TUNED else {})}
    seconds = 0.0
    for name in ("first",) if strategy == "append" else ("first", "second"):
        bodies = [path.read_bytes() for path in sorted((Path(folder) / name).iterdir())]
        rows = sum(body.count(b'"Id"') for body in bodies)
        if TUNED:
            os.environ["DATA_WRITER__FILE_MAX_ITEMS"] = str(rows // FILES + 1)
        company = dlt.resource(
            _pages(bodies),
            name="company",
            primary_key="Id",
            write_disposition="append" if strategy == "append" else merge,
            columns={"payload": {"data_type": "json"}} if shape == "documents" else None,
        )
        began = time.perf_counter()
        pipeline.run(company, loader_file_format="csv" if TUNED else None).raise_on_failed_jobs()
        seconds = time.perf_counter() - began
        with pipeline.sql_client() as client:
            [[held]] = client.execute_sql("select count(*) from company")
        if held != rows:
            raise SystemExit(f"dlt holds {held} rows after {rows} were loaded")
    return seconds


def _pages(bodies: list[bytes]) -> Iterator[Page]:
    for body in bodies:
        yield SHAPES[shape](orjson.loads(body)["records"])


if __name__ == "__main__":
    print(json.dumps(load()))
