"""Awkward records of the office: files of the bank and the accountants, people and their accounts, Microsoft 365."""

from __future__ import annotations

from datetime import timedelta

from sandbox.accounting import files
from sandbox.awkward.kind import Kind, any_of, rows, with_code
from sandbox.hr import api as hr
from sandbox.keycloak.api import user
from sandbox.microsoft365.content import mail_of
from sandbox.microsoft365.parts import series_of
from sandbox.world import Entry, World
from sandbox.world.book import HALF_A_CHARACTER, KEY_CONFLICT, KEY_TOO_LONG
from sandbox.world.business import person

_LINES, _COSTS = "accounting.bank_line", "accounting.account_entry"


def _cell(world: World, entry: Entry, column: str) -> object:
    return files.cost_cells(world, entry, entry.born)[files.COST_COLUMNS.index(column)]


def _opens_oddly(text: object) -> bool:
    return str(text).startswith(files.OPENINGS)


KINDS = (
    Kind(
        "rows in conflict",
        "two different rows under one key in one file; both wait in quarantine",
        any_of(with_code(_LINES, KEY_CONFLICT), with_code(_COSTS, KEY_CONFLICT)),
    ),
    Kind(
        "key of a page",
        "a bank line with a text in the key's column that no index can hold; it waits in quarantine",
        with_code(_LINES, KEY_TOO_LONG),
    ),
    Kind(
        "amount left blank",
        "a cost without its gross amount: the value is withheld, and the golden record held back",
        with_code(_COSTS, "amount_missing"),
    ),
    Kind(
        "file as sent",
        "a bank line in a file in another encoding than CP1250, packed, or with rows around the data",
        rows(_LINES, lambda _, entry: files.written_as(files.statement_name(entry.number)) != ("cp1250", "", False)),
    ),
    Kind(
        "text like a formula",
        "a bank line or cost whose text begins with -, @ or %",
        any_of(
            rows(_LINES, lambda world, entry: _opens_oddly(files.bank_cells(world, entry, entry.born)[-1])),
            rows(_COSTS, lambda world, entry: _opens_oddly(_cell(world, entry, "opis"))),
        ),
    ),
    Kind(
        "day as a number",
        "a cost due on an Excel serial day, or on 0000-00-00 for none",
        rows(_COSTS, lambda world, entry: isinstance(_cell(world, entry, "termin"), int | str)),
    ),
    Kind(
        "duration",
        "a cost with a duration of up to 60 hours in a cell",
        rows(_COSTS, lambda world, entry: isinstance(_cell(world, entry, "czas_pracy"), timedelta)),
    ),
    Kind(
        "split document",
        "a cost document that is split over two accounts",
        rows(_COSTS, lambda _, entry: entry.number % 10 in (8, 9)),
    ),
    Kind(
        "two suppliers' number",
        "a cost document with a number that two suppliers chose",
        rows(_COSTS, lambda _, entry: str(entry.key[0]).startswith("FV ")),
    ),
    Kind(
        "moved departments",
        "the earlier job of somebody who has moved to another department",
        rows("hr.job", lambda _, entry: entry.number >= hr.EARLIER),
    ),
    Kind(
        "no title",
        "a job without a title",
        rows("hr.job", lambda world, entry: hr.job(world, entry, 1)["jobTitle"] is None),
    ),
    Kind(
        "no birth date",
        "an employee born on 0000-00-00, or without a telephone",
        rows("hr.employee", lambda world, entry: not _is_known(hr.employee(world, entry, 1))),
    ),
    Kind(
        "account without a name",
        "an account of a program, without a first name",
        rows("keycloak.user", lambda world, entry: "firstName" not in user(world, entry)),
    ),
    Kind(
        "address not verified",
        "an account of Keycloak whose address nobody has verified; it joins no other account",
        rows("keycloak.user", lambda world, entry: user(world, entry)["emailVerified"] is False),
    ),
    Kind(
        "no mailbox",
        "a user of Microsoft 365 whose mail is null",
        rows("microsoft365.user", lambda world, entry: mail_of(person(world.seed, entry.number)) is None),
    ),
    Kind(
        "occurrence in part",
        "an event that a delta query gives as a stub of its series",
        rows("microsoft365.calendar_event", lambda _, entry: series_of(entry.number) is not None),
    ),
    Kind(
        "half a character",
        "a message whose subject ends in half an emoji, which no database stores; it waits in quarantine",
        with_code("microsoft365.message", HALF_A_CHARACTER),
    ),
)


def _is_known(employee: dict[str, object]) -> bool:
    return employee["dateOfBirth"] != "0000-00-00" and employee["mobilePhone"] is not None
