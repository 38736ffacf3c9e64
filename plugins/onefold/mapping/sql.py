"""Mapping rules as SQL expressions, rendered without dbt: for the gate, for look-ups and for whoever asks.

The transforms are the dbt macros in dbt_project/macros/transforms; they use nothing but plain Jinja, so that the
same text means the same in a dbt model, in the gate and here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Protocol, cast

import jinja2

from onefold.catalog.entity import Entity, Rule
from onefold.catalog.fields import SourceField
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.settings import ROOT

TRANSFORMS = ROOT / "dbt_project" / "macros" / "transforms"


class _Macro(Protocol):
    arguments: tuple[str, ...]

    def __call__(self, *arguments: object, **named: str) -> str: ...


_folder: ContextVar[tuple[Path, str]] = ContextVar("transforms", default=(TRANSFORMS, ""))
"""Whose transforms are meant: the folder, and what tells one state of its files from another."""


@contextmanager
def transforms_of(root: Path) -> Iterator[None]:
    """Within the block, transforms are those of the project in `root`, as its files are when the block begins."""
    folder = root / TRANSFORMS.relative_to(ROOT)
    files = [(file.name, file.read_bytes()) for file in sorted(folder.rglob("*.sql"))]
    before = _folder.set((folder, hashlib.sha256(repr(files).encode()).hexdigest()))
    try:
        yield
    finally:
        _folder.reset(before)


def _macros() -> jinja2.environment.TemplateModule:
    return _macros_in(*_folder.get())


@lru_cache(maxsize=8)
def _macros_in(folder: Path, _state: str) -> jinja2.environment.TemplateModule:
    return macros_of(folder.rglob("*.sql"))


def macros_of(files: Iterable[Path]) -> jinja2.environment.TemplateModule:
    """The macros of these files, which use nothing but plain Jinja and each other."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    return environment.from_string("\n".join(file.read_text(encoding="utf-8") for file in sorted(files))).module


def macro_sql(macros: jinja2.environment.TemplateModule, name: str, *args: str) -> str:
    """The SQL that one of the macros makes of SQL expressions."""
    return str(cast(_Macro, getattr(macros, name))(*args)).strip()


def transform_types() -> Mapping[str, str]:
    """The transforms there are, each with the SQL type of what it gives (said at the head of its file)."""
    return {name: gives for name, (gives, _) in _transform_heads().items()}


def transform_meanings() -> Mapping[str, str]:
    """What each transform gives and understands, in words (the head of its file)."""
    return {name: meaning for name, (_, meaning) in _transform_heads().items()}


def _transform_heads() -> Mapping[str, tuple[str, str]]:
    return _transform_heads_in(*_folder.get())


@lru_cache(maxsize=8)
def _transform_heads_in(folder: Path, _state: str) -> Mapping[str, tuple[str, str]]:
    heads: dict[str, tuple[str, str]] = {}
    for file in sorted(folder.glob("*.sql")):
        head = re.match(r"\{#- (\w+): (.*?)-#\}", file.read_text(encoding="utf-8"), re.DOTALL)
        if head is None:
            raise Fatal(f"{file}: the first line must say what the transform gives: {{#- type: meaning -#}}")
        heads[file.stem] = (head[1], " ".join(head[2].split()))
    return heads


def literal(text: str) -> str:
    """An SQL literal of the text (standard_conforming_strings, PostgreSQL's default)."""
    return "'" + text.replace("'", "''") + "'"


def transform_sql(name: str, *args: str, codes: Mapping[str, str] | None = None, country: str | None = None) -> str:
    """The SQL expression of a transform over SQL text expressions: the typed value, or NULL when not understood.

    `country` is the expression of the record's country, for a transform that reads a value by its forms.
    Raises Fatal when there is no such transform or it takes another number of arguments.
    """
    if name not in transform_types():
        raise Fatal(f"there is no transform {name!r}; there are: {', '.join(transform_types())}")
    macro = cast(_Macro, getattr(_macros(), name))
    given: list[object] = [*args, *([dict(codes)] if codes is not None else [])]
    try:
        return str(macro(*given, **({"country": country} if country else {}))).strip()
    except (TypeError, jinja2.UndefinedError) as error:
        takes = ", ".join(macro.arguments)
        raise Fatal(f"transform {name} takes ({takes}) and was given {len(given)} of them: {error}") from error


def transform_support_sql(name: str, *args: str) -> str:
    """The SQL expression of a macro in transforms/support, which several transforms share."""
    return macro_sql(_macros(), name, *args)


def field_sql(field_name: str, field: SourceField, payload: str = "_payload") -> str:
    """The SQL expression that gives the field of a jsonb record as text; NULL when the record lacks it."""
    path = field.path or ""
    if path.startswith("$"):
        return f"(jsonb_path_query_first({payload}, {literal(path)}, '{{}}', true) #>> '{{}}')"
    steps = path.split(".") if path else [field_name]
    if len(steps) == 1:
        return f"({payload} ->> {literal(steps[0])})"
    if all(re.fullmatch(r"\w+", step) for step in steps):
        return f"({payload} #>> {literal('{' + ','.join(steps) + '}')})"
    return f"({payload} #>> array[{', '.join(literal(step) for step in steps)}])"


def input_sql(rule: Rule, stream: Stream, payload: str = "_payload") -> list[str]:
    """The text expressions that the rule's transform takes, with the rule's null values already NULL.

    Raises Fatal when the rule names a field that the stream does not have.
    """
    if rule.constant is not None:
        return [_unless(rule, stream, payload, f"{literal(rule.constant)}::text")]
    return [_unless(rule, stream, payload, _read(name, rule, stream, payload)) for name in rule.fields]


def country_sql(rule: Rule, stream: Stream, payload: str = "_payload") -> str | None:
    """The text expression of the country by whose forms the rule's transform reads the value; None when the rule names
    no field for it. Raises Fatal when it names a field that the stream does not have."""
    countries = [_read(name, rule, stream, payload) for name in rule.countries]
    if len(countries) < 2:
        return countries[0] if countries else None
    said = (f"nullif(btrim({each}), '')" for each in countries)
    return f"coalesce({', '.join(said)})"


def _read(name: str, rule: Rule, stream: Stream, payload: str) -> str:
    """A field, the rule's null values already NULL."""
    if name not in stream.fields:
        raise Fatal(f"a mapping reads field {name!r}, which is not under the stream's fields; add it there")
    expression = field_sql(name, stream.fields[name], payload)
    for null_value in rule.null_values:
        expression = f"nullif(btrim({expression}), {literal(null_value)})"
    return expression


def _unless(rule: Rule, stream: Stream, payload: str, expression: str) -> str:
    """The expression, NULL where another field of the record says that the rule does not count."""
    for name, values in rule.unless.items():
        if name not in stream.fields:
            raise Fatal(f"a mapping's unless names {name!r}, which is not under the stream's fields; add it there")
        listed = ", ".join(f"lower({literal(value)})" for value in values)
        said = f"lower(btrim({field_sql(name, stream.fields[name], payload)}))"
        expression = f"(case when ({said} in ({listed})) is not true then {expression} end)"
    return expression


def rule_sql(rule: Rule, stream: Stream, payload: str = "_payload") -> str:
    """The SQL expression of the attribute's typed value, over a record in the jsonb expression `payload`."""
    value, country = input_sql(rule, stream, payload), country_sql(rule, stream, payload)
    return record_prefix(rule) + transform_sql(rule.transform, *value, codes=rule.codes, country=country)


def record_prefix(rule: Rule) -> str:
    """What stands before the value of a rule that names a record: `'system|stream|' || `; else nothing."""
    return literal(rule.record.replace(".", "|") + "|") + " || " if rule.record else ""


def dated_sql(text: str, field: SourceField) -> str:
    """The SQL text of a field without what systems that have no empty date write for none: 0000-00-00, 00000000."""
    if field.type not in ("date", "timestamp"):
        return text
    for none in ("0000-00-00", "00000000", "0000-00-00 00:00:00", "0000-00-00T00:00:00"):
        text = f"nullif({text}, {literal(none)})"
    return text


def rules_of(entities: Mapping[str, Entity], source: str) -> Iterator[tuple[Entity, str, Rule]]:
    """The rules that read a field of the stream (system.stream), each with its entity and its attribute's name."""
    for entity in entities.values():
        for name, attribute in entity.attributes.items():
            rule = attribute.sources.get(source)
            if rule is not None and rule.constant is None:
                yield entity, name, rule


def rule_text(entity: str, attribute: str, rule: Rule) -> str:
    """How messages name a rule: 'customer.tax_id_pl<-NIP__c (nip)'."""
    return f"{entity}.{attribute}<-{'+'.join(rule.fields)} ({rule.transform})"


def is_unmapped_sql(rule: Rule, stream: Stream, payload: str = "_payload") -> str:
    """The SQL condition that a field of the rule holds something and its transform gives NULL, although it is not
    another country's."""
    inputs = zip(rule.fields, input_sql(rule, stream, payload), strict=True)
    filled = " or ".join(
        f"{transform_sql('text', dated_sql(o, stream.fields[field]))} is not null" for field, o in inputs
    )
    unknown = f"({filled}) and {rule_sql(rule, stream, payload)} is null"
    if not rule.abroad:
        return unknown
    country = _read(rule.abroad, rule, stream, payload) if isinstance(rule.abroad, str) else "null::text"
    elsewhere = (
        transform_support_sql("of_another_country", value, country) for value in input_sql(rule, stream, payload)
    )
    return f"{unknown} and not ({' or '.join(elsewhere)})"


def all_cases(separator: str, cases: Sequence[tuple[str, str]]) -> str:
    """An SQL text expression: the texts whose conditions hold, NULL when none does."""
    if not cases:
        return "null::text"
    found = ", ".join(f"case when {condition} then {literal(text)} end" for condition, text in cases)
    # an array, because a function takes 100 arguments at most
    return f"nullif(array_to_string(array[{found}]::text[], {literal(separator)}), '')"


def named_values_sql(
    entities: Mapping[str, Entity],
    systems: Mapping[str, System],
    names: str | Sequence[str],
    except_system: str | None = None,
) -> str:
    """SELECT of the distinct values (column `value`) that current records name for attributes, as 'customer.krs'.

    `except_system` is left out: a look-up source is asked about what the others name. Raises Fatal when no such
    attribute is in the catalogue or no other system gives any of them.
    """
    names = [names] if isinstance(names, str) else names
    selects = [select for name in names for select in _named_by(entities, systems, name, except_system)]
    if not selects:
        raise Fatal(
            f"no system but {except_system} gives {', '.join(names)}: nothing to ask about; map it from another system"
        )
    named = " union all ".join(selects)
    return f"select distinct value from ({named}) as named where value is not null"  # noqa: S608 - as in _named_by


def _named_by(
    entities: Mapping[str, Entity], systems: Mapping[str, System], name: str, except_system: str | None
) -> Iterator[str]:
    entity_name, _, attribute_name = name.partition(".")
    if entity_name not in entities or attribute_name not in entities[entity_name].attributes:
        raise Fatal(f"{name!r} is not an attribute in catalog/entities; write entity.attribute, as customer.krs")
    for source, rule in sorted(entities[entity_name].attributes[attribute_name].sources.items()):
        system, _, stream_name = source.partition(".")
        if system != except_system:
            value = rule_sql(rule, systems[system].streams[stream_name])
            view = f"staging.{system}__{stream_name}__current"
            # S608: the catalogue's reader lets nothing but small letters, digits and _ into these names
            yield f"select {value} as value from {view} where not _deleted"  # noqa: S608
