"""Golden records in the database: the columns they are recognised by, and the DDL of the tables they are published in.

The DDL is in golden_sql/; << >> and <% %> are filled in here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
_SEARCHED = 200
"""So many characters of an attribute are searched: a longer text is found by its beginning."""
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


def search_text(entity: Entity, *, people: bool) -> str | None:
    """Its names and numbers as one text by which it is searched (16_search.sql), each on a line of its own: SQL over a
    row of conformed.<entity>_version. None when there are none. With `people` those that are, or may be, a person's, by
    which only members of onefold_pii find it; without, the others."""
    hidden, of_party = personal_attributes(entity), entity.party_of
    texts = [name for name, attribute in entity.attributes.items() if attribute.type == "text"]

    def lines(names: Iterable[str]) -> list[str]:
        return [f"""coalesce(left("{name}", {_SEARCHED}), '') || E'\\n'""" for name in names]

    found = lines(name for name in texts if (name in hidden if people else name not in {*hidden, *of_party}))
    for party in entity.parties:
        court_number = f'"{party.court_number}"' if party.court_number else "null"
        natural = f'conformed.is_natural_person("{party.name}", {court_number})'
        if its := lines(name for name in texts if of_party.get(name) is party and name not in hidden):
            found.append(f"case when {natural if people else f'not {natural}'} then {' || '.join(its)} else '' end")
    return f"conformed.search_form({' || '.join(found)})" if found else None


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
            searches={
                f"{entity.entity}_search": search_text(entity, people=False),
                f"{entity.entity}_search_people": search_text(entity, people=True),
            },
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
