"""Two people of a small office in the real HR and mail systems' terms, through the real load protocol."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from onefold.catalog.reader import Catalog, read_catalog
from onefold.connectors.record import Record
from onefold.erasure.case_file import open_case
from onefold.erasure.lifecycle import execute_erasure, plan_erasure
from onefold.erasure.plan import ErasurePlan
from onefold.erasure.request import ErasureRequest
from onefold.load.ledger import Load, Run
from onefold.privacy.values import PersonalValue, email
from onefold.settings import ROOT
from tests.approvals import answer
from tests.load.shop import Shop, at

EMAIL, PESEL, PHONE = "zofia.brzezinska@firma.example", "44051401359", "+48 601 222 333"
NAME = ("Zofia", "Brzezińska")
TRACES = (EMAIL, PESEL, "601 222 333", "601222333", "Brzezińska", "BRZEZIŃSKA", "Zofia")
"""Whatever of Zofia must be found nowhere."""
OTHER = "adam.nowy@firma.example"
_runs = itertools.count(1)


def employee(key: str, first: str, last: str, mail: str, minutes: float, **more: object) -> Record:
    content = {
        "employeeId": key,
        "employeeNumber": f"N{key}",
        "status": "Active",
        "firstName": first,
        "lastName": last,
        "preferredName": f"{first} {last}",  # of the keys that the catalogue ignores
        "workEmail": mail,
        "mobilePhone": PHONE if mail == EMAIL else "+48 602 333 444",
        "dateOfBirth": "1944-05-14" if mail == EMAIL else "1980-01-01",
        "customPESEL": PESEL if mail == EMAIL else None,
        "department": "Sales",
        **more,
    }
    return Record(key, None, False, msgspec.json.encode(content))


def zofia(minutes: float = 0, **more: object) -> Record:
    return employee("7", *NAME, EMAIL, minutes, **more)


def adam(minutes: float = 0, **more: object) -> Record:
    return employee("8", "Adam", "Nowy", OTHER, minutes, **more)


def event(key: str, minutes: float, *, subject: str, guests: list[tuple[str, str]], by: tuple[str, str]) -> Record:
    content = {
        "userId": "adam",
        "id": key,
        "type": "singleInstance",
        "subject": subject,
        "organizer": {"emailAddress": {"name": by[0], "address": by[1]}},
        "attendees": [
            {"type": "required", "emailAddress": {"name": name, "address": mail}, "status": {"response": "none"}}
            for name, mail in guests
        ],
        "location": {"displayName": "Room 4"},
        "start": {"dateTime": "2026-03-01T10:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-01T11:00:00.0000000", "timeZone": "UTC"},
        **dict.fromkeys(("isAllDay", "isCancelled", "isOnlineMeeting", "hasAttachments"), False),
        **dict.fromkeys(("showAs", "sensitivity", "importance"), "normal"),
        "createdDateTime": at(0),
        "lastModifiedDateTime": at(minutes),
    }
    return Record(f'["adam","{key}"]', None, False, msgspec.json.encode(content))


@dataclass
class Office:
    """The warehouse with the streams hr.employee and microsoft365.calendar_event, and its home."""

    url: str
    home: Path
    suites: Path = ROOT / "expectations"

    def __post_init__(self) -> None:
        self.catalog: Catalog = read_catalog()

    @property
    def database(self) -> str:
        """The database's name."""
        return conninfo_to_dict(self.url)["dbname"]

    def stream(self, system: str, stream: str) -> Shop:
        return Shop(self.url, self.suites, self.catalog.systems[system], stream, self.catalog.entities)

    def load(self, name: str, *records: Record, **more: object) -> Load:
        return self.stream(*name.split(".")).load(list(records), **more)

    def query(self, text: str) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text).fetchall()

    def run(self) -> Run:
        number = next(_runs)
        return Run("erase", f"manual__{number}", f"airflow:by:engineer/erase/manual__{number}")

    def plan(self, *values: PersonalValue) -> tuple[Run, int, ErasurePlan]:
        run, case = self.run(), open_case(frozenset(values or [email(EMAIL)]))
        number, plan = plan_erasure(self.url, self.catalog, ErasureRequest(case.name, "Art. 17, request 12"), run)
        return run, number, plan

    def erase(self, *values: PersonalValue) -> ErasurePlan:
        run, number, _ = self.plan(*values)
        answer(self.url, f"erasure:{number}", "approver", approved=True)
        done = execute_erasure(self.url, self.catalog, run)
        assert done is not None
        return done


def traces(superuser_url: str, needles: tuple[str, ...] = TRACES) -> list[str]:
    """Every table of the database in which a needle stands, whatever its columns; nothing of the engine is used."""
    found = []
    with psycopg.connect(superuser_url) as connection:
        tables = connection.execute(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'm') and n.nspname <> 'information_schema'"
            " and (n.nspname !~ '^pg_' or c.relname = 'pg_statistic')"
        ).fetchall()
        for (table,) in tables:
            if stands_in(connection, table, needles):
                found += [f"{table}: {needle}" for needle in needles if stands_in(connection, table, (needle,))]
    return found


def stands_in(connection: psycopg.Connection, table: str, needles: tuple[str, ...]) -> bool:
    """Whether a needle stands in any column of any row."""
    query = sql.SQL("select exists (select from only {} t where t::text ilike any (%s))").format(sql.SQL(table))
    return connection.execute(query, [[f"%{needle}%" for needle in needles]]).fetchone() == (True,)


def bytes_on_disk(folder: Path, needles: tuple[str, ...] = TRACES) -> list[str]:
    """Every file below the folder, tablespaces included, that holds a needle, in PostgreSQL's own bytes (JSON and text
    are stored as they are, unless they are long enough to be compressed)."""
    found = subprocess.run(
        ["grep", "-RlaF", *(part for needle in needles for part in ("-e", needle)), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.splitlines()
