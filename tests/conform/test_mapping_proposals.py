"""What is proposed for a system as if it had never been mapped, in a warehouse in which every stream is loaded."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.edit_yaml import unified
from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog, read_catalog
from onefold.commands.map import propose as propose_command
from onefold.mapping.example import example_record
from onefold.mapping.generate import generated_files
from onefold.mapping.sql import field_sql, rule_sql
from onefold.mapping_proposal.assistant import Proposed, proposed_mapping
from onefold.mapping_proposal.catalogue import without_system
from onefold.mapping_proposal.yaml_diff import edited
from onefold.settings import ROOT
from tests.conform.every_stream import CATALOG, Warehouse

SYSTEM, STREAMS = "shop", ("customer", "order")


def _no_socket(*_: object, **__: object) -> None:
    raise AssertionError("a socket was opened: a value could leave the machine")


def _unmapped(folder: Path, system: str) -> Path:
    """A checkout's catalogue in which the system was never mapped, its entities' files with their comments."""
    shutil.copytree(ROOT / "catalog", folder / "catalog")
    (folder / "dbt_project" / "macros").mkdir(parents=True)
    (folder / "dbt_project" / "macros" / "transforms").symlink_to(ROOT / "dbt_project" / "macros" / "transforms")
    for path in (folder / "catalog" / "entities").glob("*.yaml"):
        lines, left, skipped = path.read_text("utf-8").splitlines(), [], False
        for line in lines:
            inside = len(line) - len(line.lstrip()) > 6
            skipped = line.startswith(f"      {system}.") or (skipped and inside)
            left += [] if skipped else [line]
        text = re.sub(r"^    sources:\n(?!      )", "    sources: {}\n", "\n".join(left) + "\n", flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    return folder


def _proposed(warehouse: Warehouse, entities: Mapping[str, Entity], system: str, *streams: str) -> Proposed:
    with psycopg.connect(warehouse.loader, autocommit=True, options="-c TimeZone=UTC") as connection:
        return proposed_mapping(connection, Catalog(CATALOG.systems, dict(entities)), system, streams, records=40)


def test_the_diff_passes_check_its_examples_hold_and_no_personal_value_is_in_it_nor_leaves(
    every_stream: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", _no_socket)  # PostgreSQL's own client needs none of Python's
    folder = _unmapped(tmp_path, SYSTEM)
    unmapped = read_catalog(folder)
    assert all(SYSTEM not in entity.systems for entity in unmapped.entities.values())
    found = _proposed(every_stream, unmapped.entities, SYSTEM, *STREAMS)
    assert {name: each.entity.entity for name, each in found.streams.items()} == {name: name for name in STREAMS}
    files = edited(folder / "catalog" / "entities", found.answer.rules)
    diff = unified(folder, files)
    for path, (before, after) in files.items():
        assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()
        path.write_text(after, encoding="utf-8")
    mapped = read_catalog(folder)
    assert len(found.answer.rules) >= 10
    with psycopg.connect(every_stream.loader) as connection:
        for each in found.answer.rules:
            rule = mapped.entities[each.entity].attributes[each.attribute].sources[each.source]
            stream = CATALOG.systems[SYSTEM].streams[each.source.partition(".")[2]]
            for example in rule.examples:
                given = Jsonb(example_record(rule, stream, example))
                query = sql.SQL("select to_jsonb({}) from (select {}::jsonb as _payload) as one").format(
                    sql.SQL(rule_sql(rule, stream)), sql.Literal(given)
                )
                assert connection.execute(query).fetchone() == (example.then,), each
    assert generated_files(mapped.entities, mapped.systems)  # the models and their unit tests can be made of it
    assert _shown(every_stream, diff) == []


def _shown(warehouse: Warehouse, text: str) -> list[str]:
    """The values of the streams' personal fields that the text holds, but for those that the catalogue itself shows."""
    catalogue = "".join(path.read_text("utf-8") for path in (ROOT / "catalog" / "entities").glob("*.yaml"))
    shown = []
    for name in STREAMS:
        for field, source in CATALOG.systems[SYSTEM].streams[name].fields.items():
            if source.personal != "none":
                view = sql.Identifier("staging", f"{SYSTEM}__{name}__current")
                select = sql.SQL("select distinct {} from {}").format(sql.SQL(field_sql(field, source)), view)
                values = [value for (value,) in warehouse.query(select) if value and len(value) > 3]
                shown += [value for value in values if value in text and value not in catalogue]
    return shown


def test_a_systems_own_mapping_and_values_change_nothing_of_its_proposal(
    every_stream: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", every_stream.loader)
    said = CliRunner().invoke(propose_command, ["keycloak.user", "--json", "--records", "40"], catch_exceptions=False)
    mapped = json.loads(said.stdout)["streams"]["user"]["fields"]
    left = {name: without_system(entity, "keycloak") for name, entity in CATALOG.entities.items()}
    with psycopg.connect(every_stream.url, autocommit=True) as owner:
        owner.execute("alter table mapped.keycloak__identity rename to away")
        try:
            unmapped = _proposed(every_stream, left, "keycloak", "user")
        finally:
            owner.execute("alter table mapped.away rename to keycloak__identity")
    assert mapped["email"]["candidates"][0]["attribute"] == "identity.email"
    assert {
        field: [one.known.full_name for one in each.candidates[:3]]
        for field, each in unmapped.streams["user"].fields.items()
    } == {field: [one["attribute"] for one in each["candidates"]] for field, each in mapped.items()}
