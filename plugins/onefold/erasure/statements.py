"""Statements of readers (audit.statement): their values are not kept, but what was typed without quotes stands in them
as a name, also what is somebody's address.

The audit chain names a statement by a salted hash. Text and salt go, the events stay, and the chain still verifies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import psycopg

from onefold.erasure.plan import TablePlan
from onefold.privacy.values import Finder, KnownValues, PersonalValue
from onefold.warehouse.rows import one_row
from onefold.warehouse.statement_text import LONGEST

TABLE = "audit.statement"
_BETWEEN_WORDS = re.compile(r"[_.$\"]+")
"""By what the words of a name can be joined to one name of SQL."""
_SHORTEST = 3
"""Letters of a word that is looked for alone."""


def word_by_word(known: KnownValues) -> KnownValues:
    """These values, and each word of a name alone: of a statement only the text is lost, its event stays."""
    words = {word for value in known.values if value.kind == "name" for word in value.text.split()}
    return KnownValues(known.values | {PersonalValue("name", word) for word in words if len(word) >= _SHORTEST})


def statements_naming(connection: psycopg.Connection, finder: Finder) -> list[bytes]:
    """By what the chain names each statement in which a value of the person stands, be it as part of a name; and each
    that is not kept whole, of which nobody knows."""
    rows = connection.execute("select name, text from audit.statement where text is not null order by name").fetchall()
    return [name for name, text in rows if len(text) >= LONGEST or _names(text, finder)]


def plan_of(statements: Sequence[bytes]) -> dict[str, TablePlan]:
    """What forgetting them would do; nothing where there are none."""
    if not statements:
        return {}
    plan = TablePlan(other_rows=len(statements))
    plan.fields["text"] = len(statements)
    return {TABLE: plan}


def forget_statements(connection: psycopg.Connection, erasure_id: int, statements: Sequence[bytes], who: str) -> int:
    """Forget these statements, as an erasure that is being executed; an audit event says how many. Returns how many."""
    query = "select audit.forget_statements(%s, %s, %s)"
    return int(one_row(connection.execute(query, (erasure_id, list(statements), who)))[0])


def _names(text: str, finder: Finder) -> bool:
    readings = (text, _BETWEEN_WORDS.sub(" ", text))
    return any(finder.find(reading, personal=True) for reading in readings)
