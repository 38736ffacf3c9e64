"""Golden records in the database: the columns they are recognised by, and the DDL of the tables they are published in.

The DDL is in golden_sql/; << >> and <% %> are filled in here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2

from onefold.catalog.entity import Attribute, Entity
from onefold.errors import Fatal
from onefold.mapping.generated import header
from onefold.mapping.resolution import resolution_files
from onefold.mapping.sql import literal

PERSONAL = ("contact", "identity", "sensitive")
"""The personal-data classes that only onefold_pii may read; those of an organisation are public record."""

VIEWS = "plugins/onefold/warehouse/migrations/repeatable"
"""Where the views of the entities go: each after those that it reads, by the number that its name begins with."""
_TIMES = ("valid_from", "valid_to")
"""Columns that conformed.<entity>_history has of its own: an attribute of that name has the entity's before it."""
_TEMPLATES = Path(__file__).parent / "golden_sql"


def identifiers(entity: Entity) -> list[str]:
    """The columns of mapped.<entity>__identifier by which records may be connected."""
    return [
        *entity.identity.columns,
        *(["probabilistic_key", "name_prefix_key"] if entity.identity.probabilistic else []),
    ]


def known_columns(entity: Entity) -> dict[str, str]:
    """The columns of mapped.<entity>__identifier with their SQL types: by what a record can be recognised."""
    columns = {"record": 'text collate "C"', "_load_id": "bigint"} | dict.fromkeys(identifiers(entity), "text")
    return columns | ({"name_key": "text", "name_truncated": "boolean"} if entity.identity.probabilistic else {})


def personal_attributes(entity: Entity) -> list[str]:
    """The attributes that are NULL for readers without onefold_pii."""
    return [name for name, attribute in entity.attributes.items() if attribute.personal in PERSONAL]


def files(entity: Entity, entities: Mapping[str, Entity]) -> dict[str, str]:
    """The generated files of an entity, by path below the project root: dbt models, dbt tests and the entity's views.

    `entities` is the whole catalogue: the views of an entity come after those that it refers to. Raises Fatal when
    entities refer to each other in a circle.
    """
    views = f"{VIEWS}/{51 + depth(entity, entities)}_conformed__{entity.entity}.sql"
    return resolution_files(entity) | {views: header([entity.entity], "--") + _render("views", entity)}


def tables_sql(entity: Entity) -> str:
    """The statements that make the entity's tables where there are none."""
    return _render("tables", entity)


def depth(entity: Entity, entities: Mapping[str, Entity], above: tuple[str, ...] = ()) -> int:
    """How many entities stand between this one and one that refers to no other. Raises Fatal for a circle."""
    if entity.entity in above:
        raise Fatal(
            f"catalog/entities: {' → '.join((*above, entity.entity))} refer to each other in a circle; take one of the "
            "references out."
        )
    others = set(entity.referenced.values()) - {entity.entity}
    return max((1 + depth(entities[other], entities, (*above, entity.entity)) for other in others), default=0)


def _render(template: str, entity: Entity) -> str:
    return (
        _environment()
        .get_template(f"{template}.sql")
        .render(
            entity=entity,
            name=entity.entity,
            attributes=entity.attributes,
            known=known_columns(entity),
            hidden=personal_attributes(entity),
            referenced=entity.referenced,
            parties=entity.parties,
            party_of=entity.party_of,
            in_history=lambda attribute: f"{entity.entity}_{attribute}" if attribute in _TIMES else attribute,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 - it renders SQL for dbt, not HTML
        loader=jinja2.FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        undefined=jinja2.StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["literal"] = literal
    environment.filters["id"] = lambda attribute: attribute.removesuffix("_record") + "_id"
    return environment


def provenance(attribute: Attribute, source: str) -> str:
    """JSON: the field (or fields, or the constant) and the transform by which a source gives the attribute."""
    rule = attribute.sources[source]
    if rule.constant is not None:
        return json.dumps({"constant": rule.constant, "transform": rule.transform}, ensure_ascii=False)
    field = rule.inputs[0] if len(rule.inputs) == 1 else rule.inputs
    return json.dumps({"field": field, "transform": rule.transform}, ensure_ascii=False)
