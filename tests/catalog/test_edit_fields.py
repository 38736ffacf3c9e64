"""Fields are changed in a system's YAML as a person would do it: nothing else moves, comments stay."""

from __future__ import annotations

import difflib
import re

import pytest
import yaml

from onefold.catalog.edit_fields import with_fields
from onefold.catalog.field_line import field_line, field_settings
from onefold.errors import Fatal
from onefold.settings import ROOT

GONE_LINES = "required: false\n        vanished: true\n      id: text\n"
GONE = {"required": False, "vanished": True}
HEAD = "system: s # a comment\nstreams:\n  thing: # of streams\n    title: T\n"
NEW = "new: {type: date, required: false}"
TAIL = "    gate: {max_quarantined_share: 0.1} # after it\n"


def edited(fields: str, **changes: dict[str, object]) -> str:
    """What becomes of the fields' own text; what stands around it must stay."""
    text = with_fields(HEAD + fields + TAIL, "thing", changes)
    assert text.startswith(HEAD)
    assert text.endswith(TAIL)
    yaml.safe_load(text)
    return text[len(HEAD) : -len(TAIL)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "    fields: {id: text, nick: text} # x\n",
            "    fields: {id: text, nick: {required: false, vanished: true}} # x\n",
        ),
        ("    fields: {nick: date}\n", "    fields: {nick: {type: date, required: false, vanished: true}}\n"),
        (
            "    fields:\n      nick: {personal: contact} # why\n",
            "    fields:\n      nick: {personal: contact, required: false, vanished: true} # why\n",
        ),
        (
            "    fields:\n      nick: {required: true, type: date}\n      id: text\n",
            "    fields:\n      nick: {required: false, type: date, vanished: true}\n      id: text\n",
        ),
        (
            "    fields:\n      nick:\n        type: date # d\n        personal: contact # c\n      id: text\n",
            "    fields:\n      nick:\n        type: date # d\n        personal: contact # c\n        " + GONE_LINES,
        ),
    ],
)
def test_a_field_that_has_vanished_is_marked_where_it_stands(before: str, after: str) -> None:
    assert edited(before, nick=GONE) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    fields: {id: text}\n", "    fields: {id: text, " + NEW + "}\n"),
        ("    fields: {}\n", "    fields: {" + NEW + "}\n"),
        (
            "    fields: {\n      id: text, name: text, # both\n    }\n",
            "    fields: {\n      id: text, name: text, # both\n      " + NEW + ",\n    }\n",
        ),
        (
            "    fields: {\n      id: text,\n      name: text # the last\n    }\n",
            "    fields: {\n      id: text,\n      name: text, # the last\n      " + NEW + ",\n    }\n",
        ),
        (
            "    fields:\n      id: text\n      name: {required: false} # n\n",
            "    fields:\n      id: text\n      name: {required: false} # n\n      " + NEW + "\n",
        ),
        (
            "    fields:\n      id: text\n      name:\n        type: date\n        # about the next stream\n",
            "    fields:\n      id: text\n      name:\n        type: date\n      "
            + NEW
            + "\n        # about the next stream\n",
        ),
    ],
)
def test_a_new_field_stands_at_the_end(before: str, after: str) -> None:
    assert edited(before, new={"type": "date", "required": False}) == after


def test_a_stream_whose_fields_are_all_from_defaults_gets_its_own() -> None:
    assert (
        with_fields(HEAD, "thing", {"new": {"required": False}}) == f"{HEAD}    fields: {{new: {{required: false}}}}\n"
    )


@pytest.mark.parametrize("what", ["    fields: *others\n", "    fields: {nick: *other}\n"])
def test_what_is_an_alias_is_left_to_a_person(what: str) -> None:
    anchors = "other: &other {type: date}\nothers: &others {id: text}\n"
    with pytest.raises(Fatal, match="by hand"):
        with_fields(f"{anchors}{HEAD}{what}", "thing", {"nick": GONE})


def test_every_field_of_the_catalogue_can_be_changed_and_only_its_own_lines_change() -> None:
    for path in sorted((ROOT / "catalog" / "systems").glob("*.yaml")):
        text = path.read_text()
        for name, stream in yaml.safe_load(text)["streams"].items():
            fields = list(stream.get("fields") or {"id": "text"})
            if re.search(rf"^  {name}:\n(    .*\n)*?    fields: \*", text, re.MULTILINE):
                continue  # an alias of another stream's: for a person
            changed = with_fields(text, name, {fields[0]: GONE, "brand_new": {"type": "date", "required": False}})
            now = yaml.safe_load(changed)["streams"][name]["fields"]
            assert now["brand_new"] == {"type": "date", "required": False}, (path.name, name)
            assert now[fields[0]]["vanished"] is True, (path.name, name)
            lines = [line for line in difflib.ndiff(text.splitlines(), changed.splitlines()) if line[0] in "+-"]
            assert len(lines) <= 6, (path.name, name, lines)


def test_the_line_of_a_new_field_has_its_type_and_the_class_that_its_name_suggests() -> None:
    assert field_line("eMail", field_settings("eMail", "text")) == "eMail: {personal: contact, required: false}"
    assert field_line("seats", field_settings("seats", "integer")) == "seats: {type: integer, required: false}"
