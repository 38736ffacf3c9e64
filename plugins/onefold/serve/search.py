"""Finds companies by a part of their name, town, activity and status, page by page.

A name is compared as conformed.search_form writes it, in capitals without accents and signs; what is looked for is
first written as golden names are (the transform company_name), so that the long legal form finds the short one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString

from onefold.mapping.sql import transform_sql
from onefold.serve.clients import Client
from onefold.serve.database import Database, Row

WORD = 3
"""Letters that a word has at least to be looked for by itself: of fewer no index helps."""
_FORMS: LiteralString = """
select conformed.search_form({name}) as whole, conformed.search_form(%(town)s) as town,
    array(select form from (select conformed.search_form(word) as form from unnest(%(words)s::text[]) as word) as each
        where length(form) >= %(least)s) as words"""
_SELECT: LiteralString = """
select company_id, content ->> 'legal_name' as legal_name{people}, tax_id_pl, regon, krs, content ->> 'town' as town,
    main_activity, status
from ops.api_company where {where} order by company_id limit %(limit)s"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, as it was sent."""

    q: str | None
    town: str | None
    pkd: str | None
    status: str | None
    limit: int
    cursor: str | None


async def search(database: Database, client: Client, wanted: Wanted) -> dict[str, Any]:
    """A FoundPage: of all companies where nothing is looked for."""
    sessions = database.reader(people=client.sees_people)
    q = _plain(wanted.q)
    forms = await sessions.fetch(_forms(), {
        "name": q, "town": _plain(wanted.town), "words": q.split() if q else [], "least": WORD,
    })  # fmt: skip
    where, values = _conditions(wanted, forms[0], client)
    people: LiteralString = ", people ->> 'legal_name' as person" if client.sees_people else ""
    query = _SELECT.replace("{people}", people).replace("{where}", where)
    rows = await sessions.fetch(query, values | {"limit": wanted.limit + 1})
    page = rows[: wanted.limit]
    return {
        "items": [_item(each) for each in page],
        "next": page[-1]["company_id"].hex if len(rows) > wanted.limit else None,
    }


def _conditions(wanted: Wanted, forms: Row, client: Client) -> tuple[LiteralString, dict[str, object]]:
    conditions: list[LiteralString] = []
    values: dict[str, object] = {}
    name: LiteralString = "name_form_people" if client.sees_people else "name_form"
    if wanted.q:
        whole, words = forms["whole"] or "", forms["words"]
        if len(whole) < WORD:
            conditions.append("starts_with(" + name + ", %(whole)s)")
            values["whole"] = whole
        else:
            parts: LiteralString = name + " like all (%(words)s::text[])"
            conditions.append("(" + name + " like %(whole)s" + (" or " + parts if len(words) > 1 else "") + ")")
            values |= {"whole": f"%{whole}%", "words": [f"%{word}%" for word in words]}
    if not client.sees_people:
        conditions.append("not natural_person")
    if wanted.town:
        conditions.append("town_form = %(town)s")
        values["town"] = forms["town"]
    if wanted.pkd:
        conditions.append("main_activity >= %(pkd)s and main_activity < %(pkd_end)s")
        values |= {"pkd": wanted.pkd, "pkd_end": f"{wanted.pkd}~"}
    if wanted.status:
        conditions.append("status = %(status)s")
        values["status"] = wanted.status
    if wanted.cursor:
        conditions.append("company_id > %(cursor)s::uuid")
        values["cursor"] = wanted.cursor
    joined: LiteralString = " and ".join(conditions)
    return joined or "true", values


@cache
def _forms() -> LiteralString:
    name = transform_sql("company_name", "%(name)s::text").replace("%", "%%").replace("%%(name)s", "%(name)s")
    found: LiteralString = _FORMS.replace("{name}", f"coalesce({name}, %(name)s)")  # the transform is our own text
    return found


def _plain(text: str | None) -> str | None:
    """Without what PostgreSQL has no text for."""
    return None if text is None else re.sub(r"[\x00\ud800-\udfff]", " ", text)


def _item(row: Row) -> dict[str, Any]:
    person = row.pop("person", None)
    return row | {"legal_name": row["legal_name"] or person}
