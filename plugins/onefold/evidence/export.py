"""Makes the folder: sections as CSV and JSON, the events of the period, gaps, an index, and the signed manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path

import psycopg
from psycopg.rows import tuple_row

from onefold.audit import Trust, anchors, canonical, entries_from_database, signing_key, verify
from onefold.audit.anchor import Anchor
from onefold.catalog.data_protection import read_data_protection
from onefold.catalog.reader import read_catalog
from onefold.errors import Fatal
from onefold.evidence import stated
from onefold.evidence.files import Row, write_query, write_rows
from onefold.evidence.gaps import GAPS, Facts, gaps
from onefold.evidence.index import Listed, index
from onefold.evidence.manifest import write_manifest
from onefold.evidence.sections import SECTIONS
from onefold.settings import Settings

PEOPLE = ("name", "issuer", "duty", "airflow_role", "personal_values")


@dataclass(frozen=True)
class Request:
    """Which period, and what the warehouse cannot know of itself."""

    since: datetime
    until: datetime
    folder: Path
    people: Sequence[Row]
    """Who may sign in to the UI, as PEOPLE has it."""
    made_up_people: bool
    places: int
    safe: Callable[[str], str]
    """What a text becomes in a cell of a CSV file."""

    @property
    def period(self) -> str:
        """As it is written: from the first moment to the first one after it."""
        return f"{self.since:%Y-%m-%dT%H:%M:%SZ} {self.until:%Y-%m-%dT%H:%M:%SZ}"


def export(connection: psycopg.Connection, here: Settings, request: Request) -> list[Listed]:
    """Write the folder and return its files. The connection is an auditor's, in no transaction.

    The same warehouse and period give the same bytes. Raises Fatal when the folder holds something already.
    """
    folder = request.folder
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Fatal(f"{folder} is not empty: give a folder that is, or is not there yet.")
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # every file shows the same moment
    connection.read_only = True
    signer = signing_key.signers(here.audit_anchor.parent)[-1]
    with connection.transaction():
        listed = [*_sections(connection, request), *_stated(here, request)]
        last, newest = _last_event(connection, request.until)
        listed.append(_events(connection, request, last))
        problem = _chain(connection, here, folder, last)
        facts = Facts(
            rows={each.name: each.rows for each in listed},
            chain_problem=problem,
            places=request.places,
            made_up_people=request.made_up_people,
            duties=frozenset(str(row[2]) for row in request.people),
            controller=read_data_protection(here.root).controller.name,
            until=request.until,
            newest_event=newest,
        )
        found = list(gaps(connection, facts))
    count = write_rows(folder, "gaps", GAPS, found, request.safe)
    listed.append(Listed("gaps", "what is missing for a control to hold, or for this evidence to be whole", "", count))
    (folder / "index.md").write_text(index(request.period, signer.verifier.name, listed, found, problem), "utf-8")
    write_manifest(folder, request.period, signer)
    return listed


def _sections(connection: psycopg.Connection, request: Request) -> Iterator[Listed]:
    for section in SECTIONS:
        period: dict[str, object] = {
            "since": request.since,
            "until": request.until,
            "actions": section.actions,
            "results": section.results,
        }
        rows = write_query(connection, request.folder, section.name, section.query, period, request.safe)
        yield Listed(section.name, section.shows, section.controls, rows, section.at_export)


def _stated(here: Settings, request: Request) -> Iterator[Listed]:
    files: list[tuple[str, str, str, Sequence[str], Iterator[Row]]] = [
        ("access_people", "who may sign in to the UI, with which duty", "A.5.16, A.5.18", PEOPLE, iter(request.people)),
        (
            "retention",
            "how many days what is no longer current is kept, by stream",
            "A.5.33, A.8.10; GDPR 5(1)(e)",
            stated.RETENTION,
            stated.retention(read_catalog(here.root), here.root),
        ),
        (
            "changes_catalogue",
            "the hash of every file that decides what is integrated and how",
            "A.8.9",
            stated.FINGERPRINTS,
            stated.fingerprints(here.root),
        ),
    ]
    for name, shows, controls, heads, rows in files:
        yield Listed(name, shows, controls, write_rows(request.folder, name, heads, rows, request.safe), at_export=True)


def _last_event(connection: psycopg.Connection, until: datetime) -> tuple[int, datetime | None]:
    """The number of the period's last event (0: there is none up to its end), and when the chain's newest one was."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        last = cursor.execute("select coalesce(max(seq), 0) from audit.event where at < %s", (until,)).fetchone()
        newest = cursor.execute("select at from audit.event order by seq desc limit 1").fetchone()
    return (last[0] if last else 0, newest[0] if newest else None)


def _events(connection: psycopg.Connection, request: Request, last: int) -> Listed:
    """The chain's part of the period, as `audit export` writes it: each line's hash follows from the one before."""
    since = f"{request.since:%Y-%m-%dT%H:%M:%S.%fZ}"
    count = 0
    with (
        (request.folder / "audit_events.jsonl").open("wb") as file,
        closing(entries_from_database(connection)) as entries,
    ):
        for entry in entries:
            if entry.seq > last:
                break
            if entry.at >= since:
                file.write(canonical(entry) + b"\n")
                count += 1
    return Listed("audit_events", "every audit event of the period, one canonical JSON object a line", "A.8.15", count)


def _chain(connection: psycopg.Connection, here: Settings, folder: Path, last: int) -> str | None:
    """Verify the chain up to the period's end, and write its newest checkpoint by then.

    Returns what is not proven, or None when all of it is.
    """
    path = here.audit_anchor
    newest: Anchor | None = None

    def until_last() -> Iterator[Anchor]:
        nonlocal newest
        for each in takewhile(lambda each: each.seq <= last, anchors(path) if path.exists() else ()):
            newest = each
            yield each

    public = signing_key.public_file(path.parent)
    with closing(entries_from_database(connection)) as entries:
        by_then = takewhile(lambda entry: entry.seq <= last, entries)
        verdict = verify(by_then, until_last(), trust=Trust(signing_key.read_verifiers(public)))
    (folder / "signing.pub").write_text(public.read_text("utf-8"), "utf-8")
    if newest is not None and newest.checkpoint:
        (folder / "checkpoint.txt").write_text(newest.checkpoint, "utf-8")
    if verdict.fault:
        return f"event {verdict.fault.seq} is bad: {verdict.fault.reason}"
    if not verdict.signed:
        return "there is no signed checkpoint by the period's end"
    return None
