"""Examples for proposed rules: real values where nothing is personal, made-up ones elsewhere. PostgreSQL says what
becomes of them, by the same macros as the mapped models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Attribute, Example, Rule, Scalar
from onefold.catalog.fields import SourceField
from onefold.catalog.stream import Stream
from onefold.errors import Fatal
from onefold.mapping.example import example_record
from onefold.mapping.sql import field_sql, rule_sql
from onefold.mapping_proposal.features import FieldEvidence
from onefold.mapping_proposal.proposal import FieldProposal

LONGEST = 40
"""Characters of a value that is shown."""
_OF_A_PERSON = ("email", "phone_e164", "pesel", "nip", "regon", "iban", "eu_vat")
"""What the values of a field that nobody has classed may show of somebody."""
_REPEATED = 3
"""A text that so many records hold is a word of the system, of nobody in particular."""
_IDENTIFIER = re.compile(r"[A-Za-z]{0,6}[-_/. ]?[0-9][-_/. 0-9A-Z]*")

MADE_UP: Mapping[str, Scalar] = {
    "nip": "527-288-90-07", "regon": "382903625", "krs": "779880", "pesel": "44051401359", "eu_vat": "PL5272889007",
    "email": "Biuro@Januszex.example.pl", "phone_e164": "22 123 45 67", "person_name": "JAN NOWAK",
    "company_name": "JANUSZEX SPÓŁKA Z O.O.", "street": "ul. Młynarska 42a m. 5", "postal_code": "00 950",
    "city": "WARSZAWA", "country_iso2": "Polska", "iban": "PL61109010140000071219812874", "text": "Example",
    "first_of": "Example", "date_iso": "2024-02-29", "date_pl": "29.02.2024", "timestamp_utc": "2026-03-01T10:11:12Z",
    "timestamp_pl": "01.03.2026", "numeric": "10.50", "integer": "12", "boolean": "true",
}  # fmt: skip
"""A value for each transform that may read personal ones; companies and people that there are not."""


def example(
    connection: psycopg.Connection, rule: Rule, attribute: Attribute, stream: Stream, fields: Sequence[FieldProposal]
) -> Example | None:
    """An example of the rule whose result is not null; None where none can be made."""
    for given in _candidates(connection, rule, attribute, stream, fields):
        try:
            record = Jsonb(example_record(rule, stream, Example(given=given, then=None)))
        except Fatal:  # the field's path cannot be inverted
            return None
        query = sql.SQL("select to_jsonb({}) from (select {}::jsonb as _payload) as example").format(
            sql.SQL(rule_sql(rule, stream)), sql.Literal(record)
        )
        row = connection.execute(query).fetchone()
        then = row[0] if row else None
        if then is not None and isinstance(then, str | int | float | bool):
            return Example(given=given, then=then)
    return None


def _candidates(
    connection: psycopg.Connection, rule: Rule, attribute: Attribute, stream: Stream, fields: Sequence[FieldProposal]
) -> list[Scalar | dict[str, Scalar]]:
    if len(rule.fields) > 1:
        return _others(rule, attribute)
    evidence = fields[0].field
    if is_harmless(attribute, evidence):
        return [*_real(connection, evidence)]
    made_up = [MADE_UP[rule.transform]] if rule.transform in MADE_UP else []
    return [*_others(rule, attribute), *made_up]


def is_harmless(attribute: Attribute, field: FieldEvidence) -> bool:
    """Whether values of the field may be shown: neither it nor the attribute is personal, nor do the values look so."""
    looks = max((field.values.accepted.get(name, 0.0) for name in _OF_A_PERSON), default=0.0)
    return attribute.personal == "none" and field.source.personal == "none" and looks < 0.05


def _others(rule: Rule, attribute: Attribute) -> list[Scalar | dict[str, Scalar]]:
    """What the examples of other systems give, for the same transform and as many fields."""
    found: list[Scalar | dict[str, Scalar]] = []
    for other in attribute.sources.values():
        if other.transform != rule.transform or len(other.fields) < len(rule.fields):
            continue
        for each in other.examples:
            if isinstance(each.given, dict):
                values = [each.given.get(name) for name in other.fields][: len(rule.fields)]
                found.append(dict(zip(rule.fields, values, strict=True)) if len(rule.fields) > 1 else values[0])
            elif len(rule.fields) == 1:
                found.append(each.given)
    return found


def _real(connection: psycopg.Connection, field: FieldEvidence) -> list[Scalar]:
    """Usual values of the field, of the records that are looked at."""
    rows = connection.execute(
        sql.SQL(
            "select raw, count(*) from (select {} as raw from {}) as record"
            " where length(raw) between 1 and {} group by 1 order by 2 desc, 1 limit 20"
        ).format(sql.SQL(field_sql(field.name, field.source)), sql.Identifier("proposal_record"), sql.Literal(LONGEST))
    ).fetchall()
    text = field.source.type == "text"
    shown = [raw for raw, times in rows if not text or times >= _REPEATED or _IDENTIFIER.fullmatch(raw)]
    return [typed(raw, field.source) for raw in shown]


def typed(raw: str, source: SourceField) -> Scalar:
    """A value as its record has it: a number or a truth value where the field is one."""
    if source.type == "boolean":
        return raw == "true" if raw in ("true", "false") else raw
    if source.type == "integer" and re.fullmatch(r"-?\d{1,15}", raw):
        return int(raw)
    if source.type == "numeric" and re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", raw):
        return float(raw) if "." in raw else int(raw)
    return raw
