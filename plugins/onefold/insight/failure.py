"""Why a load failed: of which kind its error is, what that means, and what to do. No model is needed for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.errors import Fatal

MOST = 20
"""Failures of one run that are explained."""


@dataclass(frozen=True, slots=True)
class FailureKind:
    """One kind of failure. `said`: what our own messages say of it, and nobody else's; `page`: below docs."""

    name: str
    said: str
    what: str
    remedy: str
    page: str


# The first that fits counts: what says more stands before what says less.
KINDS: Sequence[FailureKind] = (
    FailureKind(
        "contract_changed",
        r"the source changed its contract",
        "A field of the source has vanished, has another type, or lacks a required value. Nothing was published.",
        "Look at what the source sends now: bin/onefold accept {name} shows it as a diff of the YAML. Apply it if the "
        "change is meant, else have the source mended; then run the sync again.",
        "schema-changes.md",
    ),
    FailureKind(
        "gate_refused",
        r"the gate refused load",
        "More rows failed the suite than may go to quarantine, or the table as a whole did. Nothing was published.",
        "Look which expectations failed (below, and in ops.gate_result). If the rows are right, correct the suite in "
        "expectations/; if they are wrong, have the source mended; then run the sync again.",
        "quality.md",
    ),
    FailureKind(
        "deletes_refused",
        r"seems? missing|Nothing was deleted|deletes? (?:was|were) refused",
        "So many records seem to be gone at the source that the guard of deletes has stepped in.",
        "Compare the number of records at the source. If they are really gone, accept it as the page says.",
        "deletes.md",
    ),
    FailureKind(
        "circuit_open",
        r"circuit breaker is open",
        "The system failed so often in a row that it is left alone for a minute.",
        "See whether the system is up; the next run asks again by itself.",
        "requests.md",
    ),
    FailureKind(
        "quota_used_up",
        r"our quota is used up|the rate limit of|asks? too much|asks to come back",
        "The system lets us ask no more for now, or our own limit for it is used up.",
        "Run it later; what has been answered is kept. Raise limits.rate only if the system's owner allows it.",
        "requests.md",
    ),
    FailureKind(
        "sign_in_refused",
        r"Check login, password and rights|was refused with status 40[13]\b",
        "The system did not let us in: a password or key has changed or ended, or lacks a right.",
        "Put the new one into the Airflow connection of the system, then run the sync again.",
        "sign-in.md",
    ),
    FailureKind(
        "address_gone",
        r"The address is gone|was refused with status 4(?:04|10)\b",
        "What we ask for is not at this address any more.",
        "Compare the path in the stream's YAML with the system's interface, then: bin/onefold check --connect {name}.",
        "requests.md",
    ),
    FailureKind(
        "request_refused",
        r"was refused with status \d{3}\b",
        "The system is up and understood us, and refuses what we ask for.",
        "Compare the stream's YAML with the system's interface, then: bin/onefold check --connect {name}.",
        "requests.md",
    ),
    FailureKind(
        "connection_missing",
        r"no Airflow connection|has no host|has no usable URL",
        "The Airflow connection that the system's YAML names is missing or incomplete.",
        "Make it in the UI (Admin, Connections), with the system's base URL as host; then run the sync again.",
        "sign-in.md",
    ),
    FailureKind(
        "tls_refused",
        r"\bTLS\b|certificate",
        "No trusted connection could be made: a certificate has ended, is not trusted, or is not the host's.",
        "Have the certificate renewed, or its authority added to those that this machine trusts.",
        "hardening.md",
    ),
    FailureKind(
        "listing_without_end",
        r"limits\.pages|limits\.empty_pages|leads in a circle",
        "The source names next pages without end, or the same one again.",
        "Compare `next` in the stream's YAML with the system's interface.",
        "paging.md",
    ),
    FailureKind(
        "too_large_or_long",
        r"limits\.(?:answer_mib|file_mib|unpacked_mib|load)\b",
        "An answer, a file or the whole load is larger, or takes longer, than its limit.",
        "Ask for smaller pages or windows, or raise the limit that the message names in the system's YAML.",
        "requests.md",
    ),
    FailureKind(
        "warehouse_unavailable",
        r"the warehouse|PostgreSQL",
        "The warehouse was down, full or busy. What was not committed is rolled back.",
        "See bin/onefold status and PostgreSQL's log; the next attempt goes on from what was committed.",
        "operations.md",
    ),
    FailureKind(
        "source_unavailable",
        r"failed \d+ times?, the last time|was cut off|the connection failed|no whole answer within",
        "The system did not answer, or not whole, however often it was asked.",
        "See whether it is up and whether the Airflow connection points at it; the next run goes on from here.",
        "requests.md",
    ),
)
OTHER = FailureKind(
    "other",
    "",
    "The load ended with an error of no common kind.",
    "Read its message below, and the task's log in Airflow (bin/onefold status says where the UI is).",
    "operations.md",
)


@dataclass(frozen=True, slots=True)
class FailedLoad:
    """A load that failed or was rejected. `step`: extracting, landed (the gate's turn) or gated (publishing)."""

    load_id: int
    system: str
    stream: str
    dag_id: str
    run_id: str
    state: str
    step: str
    error: str
    pages: int
    rows_read: int
    rows_quarantined: int
    started_at: datetime

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"

    @property
    def kind(self) -> FailureKind:
        return next((kind for kind in KINDS if re.search(kind.said, self.error)), OTHER)

    @property
    def remedy(self) -> str:
        return self.kind.remedy.format(name=self.name)


@dataclass(frozen=True, slots=True)
class FailedExpectation:
    """An expectation of the suite that failed, and how many rows did; None for one of the whole table."""

    expectation: str
    rows: int | None


_FAILED = """
select load_id, system, stream, dag_id, run_id, state, coalesce(rejected_in, state) as step, error, pages, rows_read,
    rows_quarantined, started_at
from ops.load
where error is not null and (state = 'rejected' or ended_at is null)
    and (load_id = %(load_id)s or run_id = %(run_id)s and (%(dag_id)s::text is null or dag_id = %(dag_id)s))
order by load_id desc limit %(most)s
"""


def failed_loads(connection: psycopg.Connection, asked: str) -> list[FailedLoad]:
    """The failed loads of a run (RUN, or DAG/RUN), the newest first, or the one of this number. None where it is known
    and nothing of it failed. Raises Fatal when there is no such load or run."""
    dag_id, _, run_id = asked.rpartition("/")
    number = int(asked) if re.fullmatch("[0-9]{1,18}", asked) else None
    values = {"load_id": number, "run_id": run_id, "dag_id": dag_id or None, "most": MOST}
    with connection.cursor(row_factory=class_row(FailedLoad)) as cursor:
        found = cursor.execute(_FAILED, values).fetchall()
    if not found:
        query = "select exists (select from ops.load where load_id = %(load_id)s or run_id = %(run_id)s)"
        row = connection.execute(query, values).fetchone()
        if row is None or not row[0]:
            raise Fatal(
                "There is no load of this number, and no run of this name has loaded anything. Loads stand in ops.load "
                "and on the console's page of a stream; a run is named as in Airflow, or as its DAG, a slash and it."
            )
    return found


def failed_expectations(connection: psycopg.Connection, load_id: int) -> list[FailedExpectation]:
    """What the gate found wrong with the load, the most rows first."""
    query = (
        "select expectation, unexpected_rows as rows from ops.gate_result where load_id = %s and not success"
        " order by unexpected_rows desc nulls first, position limit 10"
    )
    with connection.cursor(row_factory=class_row(FailedExpectation)) as cursor:
        return cursor.execute(query, (load_id,)).fetchall()


def earlier_states(connection: psycopg.Connection, failed: FailedLoad, most: int = 10) -> list[str]:
    """How the stream's loads before it ended, the newest first."""
    query = (
        "select state from ops.load where system = %s and stream = %s and load_id < %s order by load_id desc limit %s"
    )
    return [state for (state,) in connection.execute(query, (failed.system, failed.stream, failed.load_id, most))]
