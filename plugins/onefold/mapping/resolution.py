"""The dbt models that make one golden record of many: each calls the macro of its kind with what the catalogue says.

The SQL is in dbt_project/macros/resolve/. A macro takes all that it needs as arguments, because dbt's `graph` is empty
where models are tested by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from onefold.catalog.entity import Entity
from onefold.mapping.generated import header

Argument = str | bool | Sequence[str] | Mapping[str, "Argument"]

INVARIANTS = ("every_record_has_one_golden_record", "no_golden_record_without_records")
_LINE = 120


def resolution_files(entity: Entity) -> dict[str, str]:
    """Path below the project's root and text of the entity's models of resolution and of their data tests."""
    name, probabilistic = entity.entity, entity.identity.probabilistic
    strong = {"strong": entity.identity.columns}
    composites = {"composites": entity.identity.composites} if entity.identity.composites else {}
    also_probabilistic = {"probabilistic": True} if probabilistic else {}
    address: dict[str, Argument] = (
        {"probabilistic": {"name": probabilistic.name, "address": probabilistic.address}} if probabilistic else {}
    )
    calls: dict[str, tuple[str, Mapping[str, Argument]]] = {
        "changed": ("changed_records", {"systems": entity.systems, "streams": entity.streams}),
        "candidate_identifier": (
            "candidate_identifiers",
            {"systems": entity.systems, "streams": entity.streams, **strong, **composites, **address},
        ),
        "member": ("touched_members", {**strong, **also_probabilistic}),
        "strong": ("strong_groups", {**strong, "trust": entity.trust}),
        "cluster": ("clusters", {**strong, **also_probabilistic}),
        "conflict": ("identity_conflicts", strong),
        "candidate_crosswalk": ("candidate_crosswalk", {}),
        "ended": ("ended_ids", {}),
    }
    if probabilistic:
        calls["probabilistic"] = ("probabilistic_matches", strong)
    files = {
        f"dbt_project/models/resolve/{name}/{name}__{model}.sql": _model(name, macro, arguments)
        for model, (macro, arguments) in calls.items()
    }
    candidate = f"dbt_project/models/conformed/{name}__candidate.sql"
    files[candidate] = _model(name, "golden_records", _survivorship(entity))
    for test in INVARIANTS:
        files[f"dbt_project/tests/{name}__{test}.sql"] = f"{header([name], '--')}{{{{ {test}('{name}') }}}}\n"
    return files


def _survivorship(entity: Entity) -> dict[str, Argument]:
    attributes = entity.attributes.items()
    latest = [name for name, each in attributes if each.survivorship == "latest"]
    totals = [name for name, each in attributes if each.survivorship == "total"]
    timestamps = [name for name, each in attributes if each.type == "timestamptz"]
    trust_of = {
        name: each.trust
        for name, each in attributes
        if each.trust and each.trust != entity.trust and name not in latest
    }
    units: dict[str, list[str]] = {}
    for name, each in attributes:
        for unit in each.withheld_with:
            units.setdefault(unit, []).append(name)
    living = entity.living
    arguments: dict[str, Argument] = {
        "systems": entity.systems,
        "strong": entity.identity.columns,
        "trust": entity.trust,
        "attributes": list(entity.attributes),
        "latest": latest,
        "totals": totals,
        "timestamps": timestamps,
        "trust_of": trust_of,
        "units": units,
        "living": {"attribute": living.attribute, "ended": living.ended} if living else {},
    }
    return {name: value for name, value in arguments.items() if value}


def _model(entity: str, macro: str, arguments: Mapping[str, Argument]) -> str:
    given = [f"'{entity}'", *(f"{name}={_jinja(value)}" for name, value in arguments.items())]
    call = f"{{{{ {macro}({', '.join(given)}) }}}}"
    if len(call) > _LINE:
        lines = [fill(each, _LINE, subsequent_indent=" " * 8, break_on_hyphens=False) for each in given]
        call = f"{{{{ {macro}(" + ",\n    ".join(lines) + ") }}"
    return f"{header([entity], '--')}{{{{ config(tags=['{entity}']) }}}}\n{call}\n"


def _jinja(value: Argument) -> str:
    """The value as a Jinja literal; names of the catalogue have no quotes in them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"'{name}': {_jinja(each)}" for name, each in value.items()) + "}"
    return "[" + ", ".join(_jinja(each) for each in value) + "]"
