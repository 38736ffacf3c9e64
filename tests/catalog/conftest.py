"""A small catalogue in a folder of its own: one system, one entity, two transforms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from onefold.catalog.reader import Catalog, read_catalog
from onefold.catalog.yaml_file import CatalogError

SYSTEM = """\
system: shop
title: The shop
protocol: rest
connection: shop
schedule: "0 2 * * *"
streams:
  account:
    title: Accounts
    request: {path: /accounts}
    primary_key: [Id]
    cursor: {fields: [Changed], lookback: PT15M}
    lookup: {attribute: customer.krs}
    fields:
      Id: text
      Name: {personal: organisation}
      Changed: timestamp
    privacy: {purpose: Know the customers of the shop, legal_basis: contract, persons: [Sole traders]}
"""
KEPT = "{history: P90D, deleted: P30D, quarantine: P20D, waiting: P60D}"
PRIVACY = f"""\
controller: {{name: The shop's company, contact: Its street 1 in its town}}
retention:
  organisation: {KEPT}
  contact: {{history: P60D, deleted: P40D, quarantine: P10D, waiting: P60D}}
unclassed: {KEPT}
recipients: [Analysts]
safeguards: [Roles of the database]
"""
ENTITY = """\
entity: customer
title: Customer
version: 1
trust: [shop]
identity: {strong: [krs]}
attributes:
  legal_name:
    meaning: The name in the register
    sources:
      shop.account: {field: Name}
  krs:
    meaning: Number in the court register
    sources:
      shop.account:
        field: Id
        transform: digits
        examples: [{given: 0000123456, then: "0000123456"}]
"""


@dataclass(frozen=True)
class Checkout:
    """A folder with a catalogue in it."""

    root: Path

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def system(self, old: str = "", new: str = "", name: str = "shop") -> Path:
        assert old in SYSTEM
        return self.write(f"catalog/systems/{name}.yaml", SYSTEM.replace(old, new, 1) if old else SYSTEM)

    def privacy(self, old: str = "", new: str = "") -> Path:
        assert old in PRIVACY
        return self.write("catalog/privacy.yaml", PRIVACY.replace(old, new, 1) if old else PRIVACY)

    def entity(self, old: str = "", new: str = "") -> Path:
        assert old in ENTITY
        return self.write("catalog/entities/customer.yaml", ENTITY.replace(old, new, 1) if old else ENTITY)

    def suite(self, name: str, column: str) -> Path:
        not_null = f"{{type: expect_column_values_to_not_be_null, kwargs: {{column: {column}}}}}"
        return self.write(f"expectations/{name}.yaml", f"name: {name}\nexpectations:\n  - {not_null}\n")

    def read(self) -> Catalog:
        return read_catalog(self.root)

    def mistakes(self) -> list[str]:
        """What reading says is wrong: "file:line: text", the file without its folder."""
        with pytest.raises(CatalogError) as caught:
            self.read()
        return [f"{found.file.name}:{found.line}: {found.text}" for found in caught.value.mistakes]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    made.system()
    made.entity()
    made.privacy()
    for suite, column in (("shop__account", "name"), ("customer", "legal_name")):
        made.suite(suite, column)
    for name in ("text", "digits"):
        made.write(f"dbt_project/macros/transforms/{name}.sql", "")
    return made
