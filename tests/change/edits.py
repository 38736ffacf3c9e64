"""Random edits of the small project, each of a kind that people make."""

from __future__ import annotations

import random
from collections.abc import Callable

from onefold.settings import ROOT
from tests.change.files import FIELDS, SOURCES, STREAMS, Files, attribute, expectation

TRANSFORMS = {
    "text": ("text", "words", "company_name", "city", "email", "transliterated", "nip"),
    "numeric": ("numeric", "decimal_comma"),
    "integer": ("integer",),
}
IDENTITIES = (
    *(["nip"], ["regon"], ["nip", "regon"], ["regon", "nip"]),
    *(["nip", ["legal_name", "city"]], [["_system", "nip"]]),
)

Edit = Callable[[Files, random.Random], str]


def change_transform(files: Files, chance: random.Random) -> str:
    """Another transform that gives the same type."""
    name = chance.choice([each for each in files.entity["attributes"] if _type(files, each) in TRANSFORMS])
    source = chance.choice(list(files.entity["attributes"][name]["sources"]))
    transform = chance.choice(TRANSFORMS[_type(files, name)])
    files.entity["attributes"][name]["sources"][source]["transform"] = transform
    return f"{name} of {source}: transform {transform}"


def change_field(files: Files, chance: random.Random) -> str:
    """Another field of the same stream, or what it writes for nothing."""
    name = chance.choice(list(files.entity["attributes"]))
    source = chance.choice(list(files.entity["attributes"][name]["sources"]))
    rule = files.entity["attributes"][name]["sources"][source]
    if chance.random() < 0.5:
        rule["field"] = chance.choice(FIELDS)
        return f"{name} of {source}: field {rule['field']}"
    rule["null_values"] = [chance.choice(["1", "Opole", "Beta", "44"])]
    return f"{name} of {source}: null_values {rule['null_values']}"


def add_source(files: Files, chance: random.Random) -> str:
    """An attribute gets a source that it had not."""
    name = chance.choice(list(files.entity["attributes"]))
    sources = files.entity["attributes"][name]["sources"]
    source = chance.choice(list(SOURCES.values()))
    if source not in sources:
        sources[source] = dict(chance.choice(list(sources.values())))
    return f"{name}: source {source} added"


def remove_source(files: Files, chance: random.Random) -> str:
    """An attribute, or all of them, lose a source."""
    source = chance.choice(list(SOURCES.values()))
    attributes = files.entity["attributes"]
    names = list(attributes) if chance.random() < 0.3 else [chance.choice(list(attributes))]
    if all(set(attributes[name]["sources"]) != {source} for name in names):
        for name in names:
            attributes[name]["sources"].pop(source, None)
    return f"{', '.join(names)}: source {source} removed"


def change_trust(files: Files, chance: random.Random) -> str:
    """Another order of trust, of the entity or of an attribute."""
    order = chance.sample(list(STREAMS), 3)
    name = chance.choice(["", *files.entity["attributes"]])
    (files.entity["attributes"][name] if name else files.entity)["trust"] = order
    return f"trust of {name or 'all'}: {order}"


def change_identity(files: Files, chance: random.Random) -> str:
    """Other identifiers, or none that are only probable."""
    identity = files.entity["identity"]
    identity["strong"] = chance.choice(IDENTITIES)
    if chance.random() < 0.5:
        identity.pop("probabilistic", None)
    else:
        identity["probabilistic"] = {"name": "legal_name", "address": ["city"]}
    return f"identity {identity}"


def change_survivorship(files: Files, chance: random.Random) -> str:
    """Another rule by which a value survives, or another mark of what has ended."""
    if chance.random() < 0.4:
        files.entity["living"] = {"attribute": "status", "ended": [chance.choice(["open", "closed"])]}
        return f"living {files.entity['living']}"
    name = chance.choice(["legal_name", "last_changed", "nip"])
    rule = chance.choice(["latest", "most_trusted"])
    files.entity["attributes"][name]["survivorship"] = rule
    return f"{name}: survivorship {rule}"


def add_attribute(files: Files, chance: random.Random) -> str:
    """A new attribute, or one that comes back."""
    of = " ".join(chance.sample(list(STREAMS), chance.randint(1, 3)))
    files.entity["attributes"]["note"] = attribute(field=chance.choice(["note", "mail"]), of=of)
    return f"note added, of {of}"


def drop_attribute(files: Files, chance: random.Random) -> str:
    """An attribute goes."""
    name = chance.choice(["note", "email", "credit"])
    files.entity["attributes"].pop(name, None)
    return f"{name} dropped"


def rename_attribute(files: Files, chance: random.Random) -> str:
    """An attribute gets another name and keeps its values."""
    attributes = files.entity["attributes"]
    old, new = ("note", "remark") if "note" in attributes else ("remark", "note")
    if old in attributes:
        attributes[new] = {**attributes.pop(old), "renamed_from": old}
    return f"{old} renamed to {new}"


def change_type(files: Files, chance: random.Random) -> str:
    """An attribute gets another type."""
    kind = chance.choice(["text", "numeric", "integer"])
    files.entity["attributes"]["credit"] = attribute(kind, field="limit", of="crm erp", type=kind)
    return f"credit is {kind}"


def tighten(files: Files, chance: random.Random) -> str:
    """A suite expects more."""
    suite = chance.choice(list(files.suites))
    column = chance.choice(["city", "legal_name"] if suite == "firm" else ["name", "city"])
    pattern = chance.choice(["^[A-Z]", "^.{5,}$", "a"])
    severity = chance.choice(["critical", "warning"])
    files.suites[suite]["expectations"].append(expectation("match_regex", column, severity, regex=pattern))
    return f"{suite}: {column} matches {pattern} ({severity})"


def loosen(files: Files, chance: random.Random) -> str:
    """A suite expects less."""
    suite = chance.choice(list(files.suites))
    if len(files.suites[suite]["expectations"]) > 1:
        files.suites[suite]["expectations"].pop()
    return f"{suite}: the last expectation dropped"


def edit_macro(files: Files, chance: random.Random) -> str:
    """A transform itself is written otherwise."""
    path = files.root / "dbt_project/macros/transforms/text.sql"
    head, _, body = path.read_text("utf-8").partition("\nnullif(")
    if body:
        text, how = f"{head}\nupper(nullif({body.replace(chr(10), ')' + chr(10), 1)}", "upper case"
    else:
        text, how = (ROOT / "dbt_project/macros/transforms/text.sql").read_text("utf-8"), "as it was"
    path.write_text(text, encoding="utf-8")
    return f"the macro text: {how}"


EDITS: tuple[Edit, ...] = (
    change_transform,
    change_field,
    add_source,
    remove_source,
    change_trust,
    change_identity,
    change_survivorship,
    add_attribute,
    drop_attribute,
    rename_attribute,
    change_type,
    tighten,
    loosen,
    edit_macro,
)


def _type(files: Files, name: str) -> str:
    return str(files.entity["attributes"][name].get("type", "text"))
