"""A target's file is checked when it is read: each mistake with its line and what to write instead."""

from __future__ import annotations

import pytest

from onefold.catalog.reader import read_catalog
from onefold.catalog.target import Target
from onefold.catalog.target_reader import _wrong_names, read_targets
from onefold.catalog.yaml_file import CatalogError
from tests.catalog.conftest import Checkout

TARGET = """\
target: shop
title: The shop
system: shop
protocol: rest
window: 05:00-22:00 Europe/Warsaw
approval: {above: 10}
objects:
  account:
    entity: customer
    object: /accounts
    stream: account
    key: Id
    reference: Reference
    match: {krs: Krs}
    where: {krs: present}
    characters: {encoding: cp1250, replacements: {"€": EUR}}
    fields:
      Name: {attribute: legal_name, rule: ask, length: {max: 40}}
      Krs: {attribute: krs}
    constants: {Currency: PLN}
"""


def _read(checkout: Checkout, old: str = "", new: str = "") -> dict[str, Target]:
    assert old in TARGET
    checkout.write("catalog/targets/shop.yaml", TARGET.replace(old, new, 1) if old else TARGET)
    return read_targets(checkout.read(), checkout.root)


def test_a_right_file_is_read(checkout: Checkout) -> None:
    each = _read(checkout)["shop"].objects["account"]
    assert each.attributes == ["krs", "legal_name"]
    assert each.may == ["create", "update"]


def test_a_checkout_without_targets_has_none(checkout: Checkout) -> None:
    assert read_targets(checkout.read(), checkout.root) == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("system: shop", "system: shpo", 3, 'unknown system "shpo"; did you mean "shop"?'),
        ("22:00 Europe/Warsaw", "22:00 Mars", 5, "is no service window"),
        ("entity: customer", "entity: custmer", 9, 'unknown entity "custmer"; did you mean "customer"?'),
        ("stream: account", "stream: acount", 11, 'shop has no stream "acount"; did you mean "account"?'),
        ("key: Id", "key: Name2", 12, "the stream account has the primary key Id; write that one"),
        (
            "reference: Reference",
            "reference: Reference\n    reference_length: 18",
            14,
            "our reference has 20 characters, and the field holds 18",
        ),
        ("match: {krs: Krs}", "match: {krs: Other}", 14, "Other must be under fields, made of krs"),
        ("cp1250, rep", "cp12500, rep", 16, "'cp12500' is no encoding that is known"),
        ('{"€": EUR}', "{EUR: €}", 16, "'EUR' is not one character"),
        ("rule: ask", "rule: askk", 18, '"askk" is not allowed; did you mean "ask"?'),
        ("rule: ask", "rule: newest", 8, "rule newest needs changed: the field with the time of the last change"),
        (
            "attribute: legal_name",
            "attribute: legal_nam",
            18,
            'has no attribute "legal_nam"; did you mean "legal_name"?',
        ),
        ("constants: {Currency", "constants: {Name", 20, "Name: a field and a constant; take one out"),
        ("attribute: krs", "attribute: krs, format: code", 19, "format code and codes belong together"),
        ("key: Id", "key: Id\n    keyy: Id", 13, 'unknown key "keyy"'),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_write(
    checkout: Checkout, old: str, new: str, line: int, says: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        _read(checkout, old, new)
    first = caught.value.mistakes[0]
    assert (first.file.name, says in first.text) == ("shop.yaml", True), first.text
    assert first.line == line


def test_a_target_that_replaces_characters_may_not_be_trusted_above_systems_that_have_them() -> None:
    fields = {"nazwa": {"attribute": "legal_name"}}
    each = {"entity": "customer", "object": "o", "stream": "account", "key": "Id", "reference": "r", "fields": fields}
    for replacements, wrong in (({}, 0), ({"„": '"'}, 1)):
        objects = {"account": {**each, "characters": {"encoding": "cp1250", "replacements": replacements}}}
        said = {"target": "t", "title": "T", "system": "salesforce", "protocol": "salesforce", "objects": objects}
        found = list(_wrong_names(Target.model_validate(said), read_catalog()))
        assert len(found) == wrong, found
    assert found[0][0] == ("objects", "account", "fields", "nazwa")
    assert "salesforce is trusted there above sap, erp" in found[0][1]
