"""Canaries: words that no record has, put where personal values stand, and looked for where none may be.

A page's records get one in each personal field (where the type is another one than text: a value that cannot be
cast), in a field with an unknown name, in that name, and one record gets one as its key.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterator
from pathlib import Path

import psutil

from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.quality.contract import payload_path
from tests.acceptance.bench import Bench
from tests.acceptance.streams import Listed

MARK = "kanarek7f3a"
"""In every canary; small letters, since e-mail addresses and names of hosts are folded to them."""
PERSONAL = ("identity", "contact", "sensitive", "organisation")
ERROR_BODY = (
    f'[{{"errorCode": "{MARK.upper()}_INVALID", "message": "Jan {MARK}, ul. {MARK} 7, 44051401359", '
    f'"error": {{"code": "{MARK}", "message": "{MARK}@example.com"}}, "{MARK}@example.com": 1}}]'
)
WHERE_THEY_BELONG = {
    *("landing", "staging", "mapped", "conformed", "marts", "dry_run_staging", "dry_run_mapped"),
    # Records that wait, the values that registers are asked about, and keys of records.
    *("ops.quarantine", "ops.lookup_cache", "ops.lookup_result", "ops.stream_checkpoint", "ops.drift"),
    *("ops.held_back", "ops.identity_conflict"),
    # What a person approves of a write-back, before and after: for onefold_pii alone, and for 30 days.
    "ops.write_back_plan_row",
    # What the register API answers from, and what it has answered.
    *("ops.api_company", "ops.api_answer", "ops.api_check"),
}
"""Schemas and tables that hold records or their keys on purpose; auditors read none of them but ops.quarantine, of
which they see neither content nor key."""


def planting(listed: Listed, pages: PageReader) -> PageReader:
    """The stream's pages with canaries in a third of the records."""

    def read(window: Window, token: str | None) -> Iterator[Page]:
        for page in pages(window, token):
            records = [_planted(listed, r, n) if n % 3 == 0 else r for n, r in enumerate(page.records)]
            yield Page(records, page.extracted_at, page.token, page.lookup_results, page.ended)

    return read


def _planted(listed: Listed, record: Record, number: int) -> Record:
    try:
        content = json.loads(record.payload)
    except ValueError:
        return record
    if not isinstance(content, dict):
        return record
    for name, field in listed.stream.fields.items():
        if field.personal in PERSONAL and name not in listed.stream.primary_key:
            _put(content, payload_path(name, field) or [], f"{MARK} {name} {number}")
    content[f"{MARK}@example.com"] = f"{MARK} of a field that nobody knows"
    content[f"Jan {MARK}"] = 1
    key = record.key
    if number == 3:
        key = f"44051401359 {MARK}@example.com"
    return Record(key, record.cursor, record.deleted, json.dumps(content).encode())


def _put(content: object, path: list[str], value: str) -> None:
    for part in path[:-1]:
        content = content.get(part) if isinstance(content, dict) else None
    if path and isinstance(content, dict) and path[-1] in content:
        content[path[-1]] = value


def in_tables(bench: Bench) -> list[str]:
    """The tables with a canary in them, but those where they belong."""
    tables = bench.query(
        "select format('%%I.%%I', schemaname, tablename) from pg_tables"
        " where schemaname not in ('pg_catalog', 'information_schema') and not schemaname || '.' || tablename = any(%s)"
        " and not schemaname = any(%s)",
        *(list(WHERE_THEY_BELONG), list(WHERE_THEY_BELONG)),
    )
    found = " union all ".join(
        f"select '{table}', count(*) from {table} t where t::text ilike '%%{MARK}%%' having count(*) > 0"  # noqa: S608
        for (table,) in tables
    )
    return [f"{table}: {rows} rows" for table, rows in bench.query(found)]


def in_files(*places: Path) -> list[str]:
    """The files below these folders (or these files) that hold a canary."""
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*"))]
    return [file.name for file in files if file.is_file() and MARK.encode() in file.read_bytes().lower()]


def in_processes() -> list[str]:
    """What the list of processes and our own environments say of a canary."""
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), *(process.environ().values() if process.uids().real == os.getuid() else ())]
        except psutil.Error:
            continue
        found += [f"process {process.name()}" for text in told if MARK in text.lower()]
    return found


def as_logged(error: BaseException) -> str:
    """The error as a task's log shows it, traceback and all."""
    return "".join(traceback.format_exception(error))
