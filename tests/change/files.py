"""A small project to edit: three systems, one entity, their suites and a mart, written as people write them."""

from __future__ import annotations

import copy
import io
import shutil
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from onefold.mapping.entity_migration import FOLDER
from onefold.mapping.golden import VIEWS
from onefold.settings import ROOT

Spec = dict[str, Any]

STREAMS = {"crm": "account", "erp": "partner", "court": "extract"}
FIELDS = ("id", "name", "nip", "regon", "city", "mail", "limit", "changed", "state", "note")
SOURCES = {system: f"{system}.{stream}" for system, stream in STREAMS.items()}


def attribute(transform: str = "text", *, field: str, of: str = "crm erp court", **more: object) -> Spec:
    """An attribute that these systems give by one field and transform."""
    rule = {"field": field, "transform": transform}
    return {"meaning": "What it says.", "sources": {SOURCES[each]: dict(rule) for each in of.split()}, **more}


def firm() -> Spec:
    """The entity as it is before anybody edits it."""
    return {
        "entity": "firm",
        "title": "Firm",
        "version": 1,
        "trust": ["court", "crm", "erp"],
        "identity": {
            "strong": ["nip", "regon"],
            "probabilistic": {"name": "legal_name", "address": ["city"]},
        },
        "living": {"attribute": "status", "ended": ["closed"]},
        "attributes": {
            "legal_name": attribute("company_name", field="name", personal="organisation"),
            "nip": attribute("text", field="nip"),
            "regon": attribute("text", field="regon", of="crm court"),
            "city": attribute("city", field="city"),
            "email": attribute("email", field="mail", of="crm erp", personal="contact", trust=["erp", "crm"]),
            "credit": attribute("numeric", field="limit", of="crm erp", type="numeric"),
            "status": attribute("text", field="state", of="erp court"),
            "last_changed": attribute("timestamp_utc", field="changed", type="timestamptz", survivorship="latest"),
        },
    }


def expectation(kind: str, column: str, severity: str = "critical", **kwargs: object) -> Spec:
    """One expectation as a suite has it."""
    return {"type": f"expect_column_values_to_{kind}", "kwargs": {"column": column, **kwargs}, "severity": severity}


def suites() -> dict[str, Spec]:
    """The suites by name."""
    found = {
        f"{system}__{stream}": {
            "name": f"{system}__{stream}",
            "expectations": [
                expectation("be_null", "_unparsed"),
                expectation("be_null", "_unmapped"),
                expectation("not_be_null", "name"),
            ],
        }
        for system, stream in STREAMS.items()
    }
    found["firm"] = {
        "name": "firm",
        "expectations": [expectation("not_be_null", "legal_name"), expectation("match_regex", "city", regex="^.{2,}$")],
    }
    return found


class Files:
    """The project's folder. `entity`, `others` and `suites` are what is written; edit them, and write()."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entity, self.suites = firm(), suites()
        self.others: dict[str, Spec] = {}

    def begin(self) -> None:
        """Make the folder."""
        root = self.root
        for folder in ("catalog/systems", "catalog/entities", "expectations", "dbt_project/models/marts", VIEWS):
            (root / folder).mkdir(parents=True)
        shutil.copytree(ROOT / "dbt_project/macros", root / "dbt_project/macros")
        for name in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(ROOT / "dbt_project" / name, root / "dbt_project" / name)
        for path in (ROOT / FOLDER).rglob("*.sql"):
            if "_conformed__" not in path.name:
                (root / FOLDER / path.relative_to(ROOT / FOLDER)).write_bytes(path.read_bytes())
        mart = "select city, count(*) as firms from {{ source('conformed', 'firm') }} group by 1\n"
        (root / "dbt_project/models/marts/firms_by_city.sql").write_text(mart)
        for system, stream in STREAMS.items():
            self._write(f"catalog/systems/{system}.yaml", _system(system, stream))
        self.write()

    def write(self) -> None:
        """Write the entity, the others, and the suites."""
        for path in (self.root / "catalog/entities").glob("*.yaml"):
            path.unlink()
        for name, entity in {"firm": self.entity, **self.others}.items():
            self._write(f"catalog/entities/{name}.yaml", entity)
        for name, suite in self.suites.items():
            self._write(f"expectations/{name}.yaml", suite)

    def add_system(self, system: str, stream: str) -> None:
        """Another system, with a suite; nothing of it is loaded."""
        self._write(f"catalog/systems/{system}.yaml", _system(system, stream))
        name = f"{system}__{stream}"
        self.suites[name] = {"name": name, "expectations": [expectation("be_null", "_unparsed")]}

    def edit_fields(self, system: str, **fields: Spec) -> None:
        """Settings of these fields, in place of what the system's YAML says of them."""
        described = _system(system, STREAMS[system])
        described["streams"][STREAMS[system]]["fields"] |= fields
        self._write(f"catalog/systems/{system}.yaml", described)

    def keep(self) -> tuple[Spec, dict[str, Spec]]:
        """What is written now, to come back to."""
        return copy.deepcopy(self.entity), copy.deepcopy(self.suites)

    def come_back(self, kept: tuple[Spec, dict[str, Spec]]) -> None:
        """Write what was kept."""
        self.entity, self.suites = copy.deepcopy(kept[0]), copy.deepcopy(kept[1])
        self.write()

    def _write(self, path: str, content: Spec) -> None:
        text = io.StringIO()
        YAML(typ="safe").dump(content, text)
        (self.root / path).write_text(text.getvalue(), encoding="utf-8")


def _system(system: str, stream: str) -> Spec:
    return {
        "system": system,
        "title": system.upper(),
        "protocol": "rest",
        "connection": system,
        "schedule": "0 * * * *",
        "streams": {
            stream: {
                "title": "Firms",
                "request": {"path": f"/{stream}"},
                "primary_key": ["id"],
                "fields": {field: {"type": "text", "required": field == "id"} for field in FIELDS},
            }
        },
    }
