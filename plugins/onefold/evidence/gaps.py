"""What is missing for a control to hold, or for the evidence to be whole. A gap that is known is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg

GAPS = ("control", "gap", "remedy")
Gap = tuple[str, str, str]


@dataclass(frozen=True)
class Facts:
    """What was found outside of the database and in the folder's files, for the gaps to be told from it."""

    rows: Mapping[str, int]
    """How many rows each file has."""
    chain_problem: str | None
    """Why the audit chain is not proven up to the period's end; None when it is."""
    places: int
    """How many places outside of the installation get checkpoints."""
    made_up_people: bool
    """Whether the people are the demo's."""
    duties: frozenset[str]
    """The duties that somebody has."""
    controller: str
    """Who the catalogue says is responsible."""
    until: datetime
    newest_event: datetime | None


def gaps(connection: psycopg.Connection, facts: Facts) -> Iterator[Gap]:
    """Each gap: the control it concerns, what is missing, and what to do."""
    if facts.chain_problem:
        yield "A.8.15", f"the audit chain is not proven: {facts.chain_problem}", "docs/runbooks/broken-chain.md"
    if not facts.places:
        yield (
            "A.8.15, A.5.28",
            "no checkpoint of the audit chain goes to a place that this machine cannot rewrite",
            "set ONEFOLD_CHECKPOINTS (docs/checkpoints.md), and keep copies",
        )
    if not facts.newest_event or facts.newest_event < facts.until:
        yield (
            "A.5.28",
            "the chain has no event after the period's end: it may go on, and later events of it would be missing",
            "export again once the period is over and something was recorded after it",
        )
    yield from _reads(connection, facts.until)
    if not facts.rows["backups"]:
        yield (
            "A.8.13",
            "no backup and no restore of the period is known to Onefold: it does not make backups",
            "keep the record of your backup system, and of a restore that was tried, with this folder",
        )
    if _setting(connection, "archive_mode") == "off":
        yield (
            "A.8.13",
            "PostgreSQL does not archive its write-ahead log: a restore is to the last dump",
            "set archive_mode",
        )
    if _setting(connection, "ssl") == "off":
        yield (
            "A.8.20, A.8.24",
            "connections to PostgreSQL are not encrypted",
            "keep it on 127.0.0.1, or use a server with TLS",
        )
    for role in _names(connection, "select rolname from pg_roles where rolsuper and rolcanlogin order by 1"):
        yield (
            "A.8.2",
            f"the database role {role} is a superuser who may sign in",
            "keep its password apart; nobody works as it",
        )
    public = (
        "select datname from pg_database where not datistemplate and has_database_privilege('public', oid, 'connect')"
    )
    for database in _names(connection, f"{public} order by 1"):
        yield (
            "A.8.3",
            f"every role of the server may connect to the database {database}",
            f"revoke connect on {database}",
        )
    if facts.made_up_people:
        yield "A.5.16", "the people are the demo's made-up ones", "name your own in ONEFOLD_PEOPLE (docs/access.md)"
    for duty in sorted({"engineer", "approver", "auditor"} - facts.duties):
        yield "A.5.3", f"nobody has the duty {duty}", "name somebody in ONEFOLD_PEOPLE (docs/access.md)"
    if facts.controller.startswith("Your company"):
        yield "GDPR 30(1)(a)", "catalog/privacy.yaml does not name the controller", "write who it is"


def _reads(connection: psycopg.Connection, until: datetime) -> Iterator[Gap]:
    missing = connection.execute("select audit.direct_reads_missing()").fetchone()
    if missing and missing[0] is not None:
        yield "A.8.15; GDPR 32", "reads past `onefold sql` are not, or not all, recorded", str(missing[0])
        return
    collected = connection.execute("select collected_at from audit.statement_watch").fetchone()
    if not collected or not collected[0] or collected[0] < until:
        yield (
            "A.8.15; GDPR 32",
            "reads past `onefold sql` were last recorded before the period's end",
            "run bin/onefold audit reads once the period is over, and export again",
        )


def _setting(connection: psycopg.Connection, name: str) -> str | None:
    found = connection.execute("select setting from pg_settings where name = %s", (name,)).fetchone()
    return str(found[0]) if found else None


def _names(connection: psycopg.Connection, query: str) -> list[str]:
    return [str(name) for (name,) in connection.execute(query.encode())]
