"""What the models of resolution hold, column by column, for dbt's documentation."""

from __future__ import annotations

from collections.abc import Iterator

from onefold.catalog.entity import Entity
from onefold.mapping.yaml_text import Alias, Yaml

_MODELS = {
    "changed": ("The records that came or went with this publish's loads.", ["record"]),
    "candidate_identifier": ("By what each changed, living record can be recognised.", ["record", "_load_id", "*"]),
    "member": ("The living records of every cluster that a changed record touches.", ["n", "record", "_load_id", "*"]),
    "strong": (
        "Which records are one because they share a strong identifier.",
        ["n", "group_id", "conflicted", "ambiguous", "withheld"],
    ),
    "probabilistic": ("Groups whose name and address agree without contradiction.", ["group_id", "hub"]),
    "cluster": ("Which records are one and the same.", ["record", "cluster"]),
    "conflict": ("Where strong identifiers contradict each other.", ["identifier", "reason", "records"]),
    "candidate_crosswalk": (
        "The golden record to which each touched record belongs from this publish on.",
        ["record", "system", "stream", "key", "id", "_previous_id"],
    ),
    "ended": ("The golden records that end with this publish.", ["id", "merged_into"]),
}
_COLUMNS = {
    "record": "The record: system|stream|key.",
    "system": "The system that the record is from.",
    "stream": "The stream that the record is from.",
    "key": "The record's key in its stream.",
    "_load_id": "The load that brought the version which is mapped (ops.load).",
    "n": "A number of the record, good for this run.",
    "name_key": "The name without its spelling: capitals, no accents, blanks or signs.",
    "name_truncated": "The source may have truncated the name.",
    "probabilistic_key": "Name and address without their spelling; NULL where one of them is missing.",
    "name_prefix_key": "As probabilistic_key, of the first 24 letters of the name: for truncated names.",
    "group_id": "The group: the least number of its records.",
    "conflicted": "The group was split, because it had several values of an identifier.",
    "ambiguous": "The identifiers whose value several groups claim.",
    "withheld": "The identifiers of the record that belong to another group; they are not published.",
    "hub": "The group with the least number that has name and address in common with it.",
    "cluster": "The cluster: the least number of its groups.",
    "identifier": "The identifier that contradicts itself.",
    "reason": "ambiguous or several_values: see ops.identity_conflict.",
    "records": "The records that have it, sorted.",
    "_previous_id": "The golden record to which the record belonged until now.",
    "merged_into": "The golden record that took in most of its members; NULL - none did.",
}
CANDIDATE_COLUMNS = {
    "source_of_truth": "The most trusted system that has a record of it.",
    "_systems": "The systems that have a record of it, sorted.",
    "_records": "How many records it is made of.",
    "_members": "Its records, the most trusted first.",
    "_loads": "The load that brought each of its records.",
    "_mapping_versions": "The mapping version by which each of its records was mapped.",
    "_winning_members": "For each attribute, which of _members its value is from (1 is the first).",
    "_hash": "A fingerprint of its values and of the records that gave them.",
    "_change": "new or changed; NULL - it is as it was.",
}


def resolution_models(entity: Entity) -> Iterator[dict[str, Yaml]]:
    """The models by which the entity's golden records are made, each with what it and its columns hold."""
    identifiers = entity.identity.columns
    if entity.identity.probabilistic:
        identifiers += ["name_key", "name_truncated", "probabilistic_key", "name_prefix_key"]
    meaning = _COLUMNS | {
        name: f"One identifier: {', '.join(parts)}; NULL where one of them is missing."
        for name, parts in entity.identity.composites.items()
    }
    id_column = _column(f"{entity.entity}_id", "The id of the golden record; it stays when records come or go.")
    for model, (description, names) in _MODELS.items():
        if model == "probabilistic" and not entity.identity.probabilistic:
            continue
        columns: list[Yaml] = []
        for name in names:
            if name == "id":
                columns.append(id_column)
            elif name == "*":
                columns += [
                    Alias(each) if each in entity.attributes else _column(each, meaning[each]) for each in identifiers
                ]
            else:
                columns.append(_column(name, _COLUMNS[name]))
        yield {"name": f"{entity.entity}__{model}", "description": description, "columns": columns}
    candidate = [id_column, *(Alias(name) for name in entity.attributes)]
    yield {
        "name": f"{entity.entity}__candidate",
        "description": f"{entity.title}: the new state of every golden record whose cluster was touched.",
        "columns": candidate + [_column(name, text) for name, text in CANDIDATE_COLUMNS.items()],
    }


def _column(name: str, description: str) -> Yaml:
    return {"name": name, "description": description}
