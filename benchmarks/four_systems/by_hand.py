"""The hand-written SQL: by_hand.sql with the catalogue's own normalisations, survivorship and origins written in."""

from __future__ import annotations

from pathlib import Path

from benchmarks.four_systems import STREAMS
from onefold.catalog.entity import Attribute, Entity
from onefold.catalog.reader import Catalog
from onefold.mapping.golden import provenance
from onefold.mapping.sql import literal, rule_sql

_TEXT = Path(__file__).parent / "by_hand.sql"
_ALIAS = {"krs": "k", "regon": "r", "salesforce": "s", "sap": "p"}


def by_hand(catalog: Catalog) -> list[str]:
    """The statements, in order. What they make: conformed.hand and conformed.hand_crosswalk."""
    customer = catalog.entities["customer"]
    golden, origins = [], []
    for name, attribute in customer.attributes.items():
        value, wins = _survivor(name, attribute, customer)
        golden.append(f"{value} as {name}")
        cases = [
            f"when {wins[stream]} then {_alias(stream)}.source || {literal(provenance(attribute, stream))}::jsonb"
            for stream in wins
        ]
        origins.append(f"'{name}', case {' '.join(cases)} end")
    text = _TEXT.read_text(encoding="utf-8").format(
        **{stream.partition(".")[0]: _mapped(catalog, stream) for stream in STREAMS},
        attributes="\n    , ".join(golden),
        provenance=f"jsonb_strip_nulls(jsonb_build_object({', '.join(origins)}))",
    )
    return text.split(";\n")[:-1]


def _survivor(name: str, attribute: Attribute, customer: Entity) -> tuple[str, dict[str, str]]:
    """The golden value, and for each stream, the most trusted first, when it is the one that gives it."""
    trust = attribute.trust or customer.trust
    streams = sorted(set(STREAMS) & set(attribute.sources), key=lambda stream: trust.index(stream.partition(".")[0]))
    given = [f"{_alias(stream)}.{name}" for stream in streams]
    if attribute.survivorship == "latest":
        latest = f"greatest({', '.join(given)})"
        return latest, {stream: f"{value} = {latest}" for stream, value in zip(streams, given, strict=True)}
    return f"coalesce({', '.join(given)})", {s: f"{value} is not null" for s, value in zip(streams, given, strict=True)}


def _mapped(catalog: Catalog, stream: str) -> str:
    customer = catalog.entities["customer"]
    system, _, name = stream.partition(".")
    values = [
        f"{rule_sql(attribute.sources[stream], catalog.systems[system].streams[name])} as {attribute_name}"
        for attribute_name, attribute in customer.attributes.items()
        if stream in attribute.sources
    ]
    table = f"staging.{system}__{name}"
    # S608: names of the catalogue
    return (
        f"select '{system}|{name}|' || _key as record, _key as key, jsonb_build_object('system', '{system}', 'stream',"  # noqa: S608
        f" '{name}', 'key', _key, 'load_id', _load_id, 'mapping_version', {customer.version}) as source,"
        f" {', '.join(values)} from (select _key, _load_id, _payload || '{{}}' as _payload from {table} as v"
        f" where not _deleted and not exists (select from {table} as newer"
        f" where newer._key = v._key and newer._load_id > v._load_id) offset 0) as newest"
    )


def _alias(stream: str) -> str:
    return _ALIAS[stream.partition(".")[0]]
