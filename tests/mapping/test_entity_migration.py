"""What changes in the catalogue changes the entities' tables by a migration that keeps their data, or asks first."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.reader import read_catalog
from onefold.commands.generate import generate as command
from onefold.errors import Fatal
from onefold.mapping.entity_migration import FOLDER, migration_files
from onefold.mapping.generate import generate
from onefold.mapping.golden import VIEWS
from onefold.mapping.table_layout import layout, read_snapshot
from onefold.mapping.type_cast import cast
from onefold.settings import ROOT
from onefold.warehouse.schema import upgrade_schema
from tests.mapping.catalogue import SHOP, person

SYSTEMS = {"shop": SHOP}


def _person(**changes: dict[str, object] | None) -> Entity:
    """The entity with some attributes changed, added, or (None) taken out."""
    content = person().model_dump()
    for name, attribute in changes.items():
        if attribute is None:
            del content["attributes"][name]
        else:
            content["attributes"][name] = {**content["attributes"].get(name, {}), **attribute}
    return Entity.model_validate(content)


class Project:
    """A project of its own with the migrations of this one, and a warehouse that it upgrades."""

    def __init__(self, root: Path, url: str) -> None:
        self.root, self.url = root, url
        self.folder = root / FOLDER
        (root / VIEWS).mkdir(parents=True)
        for path in (ROOT / FOLDER).rglob("*.sql"):
            if "_conformed__" not in path.name:
                (self.folder / path.relative_to(ROOT / FOLDER)).write_bytes(path.read_bytes())

    def become(self, entity: Entity | None, *accept_loss: str) -> list[str]:
        """Generate, and upgrade the warehouse; the names of the migrations that were written."""
        entities = {} if entity is None else {entity.entity: entity}
        written = generate(entities, SYSTEMS, check=False, root=self.root, accept_loss=accept_loss)
        upgrade_schema(self.url, self.folder)
        return [path.name[5:-4] for path in written if path.parent == self.folder and path.suffix == ".sql"]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def project(tmp_path: Path, warehouse_url: str) -> Project:
    """With the entity person, and one golden record of it, published."""
    made = Project(tmp_path, warehouse_url)
    made.become(person())
    made.rows(
        "insert into ops.publish (state, actor, mappings) values ('published', 'os:tester', '{}');"
        "insert into ops.published (entity, publish_id, actor) values ('person', 1, 'os:tester');"
        "insert into conformed.person_version (person_id, source_of_truth, _systems, _records, _members, _loads,"
        " _mapping_versions, _winning_members, _hash, _publish_id, name, tax_id_pl, origin) values"
        " (gen_random_uuid(), 'shop', '{shop}', 1, '{shop|user|1}', '{1}', '{1}',"
        " '{1,1,NULL}', 'h', 1, '12.5', '5260250274', 'here');"
        "insert into conformed.person_provenance values (1, '{name,tax_id_pl,origin}',"
        """ '{"tax_id_pl": {"shop.user": {"field": "nip", "transform": "nip"}}}')"""
    )
    return made


def test_a_new_entity_and_a_new_attribute_get_their_tables_and_columns(project: Project) -> None:
    fax = {"meaning": "Fax.", "sources": {"shop.user": {"field": "nip"}}}
    assert project.become(_person(fax=fax)) == ["person_fax_new"]
    assert project.rows("select name, fax from conformed.person") == [("12.5", None)]


def test_a_renamed_attribute_keeps_its_values_and_their_provenance(project: Project) -> None:
    tax_id = person().attributes["tax_id_pl"].model_dump()
    content = person().model_dump()
    content["identity"]["strong"] = ["nip"]
    content["attributes"] = {
        "name": content["attributes"]["name"],
        "nip": {**tax_id, "renamed_from": "tax_id_pl"},
        "origin": content["attributes"]["origin"],
    }
    entity = Entity.model_validate(content)
    assert project.become(entity) == ["person_nip_renamed"]
    assert project.rows("select nip, _provenance -> 'nip' ->> 'field' from conformed.person") == [("5260250274", "nip")]
    assert project.rows("select nip from mapped.person__identifier") == []
    assert project.become(entity) == []  # renamed_from may stay


def test_a_retyped_attribute_keeps_its_values_and_what_cannot_be_kept_is_asked_about(project: Project) -> None:
    as_number = _person(name={"type": "numeric", "sources": {"shop.user": {"field": "name", "transform": "numeric"}}})
    with pytest.raises(
        Fatal, match=r"(?s)person\.name: text becomes numeric: texts that are no.*--accept-loss person\.name"
    ):
        project.become(as_number)
    assert project.rows("select name from conformed.person") == [("12.5",)]
    assert project.become(as_number, "person.name") == ["person_name_retyped"]
    assert project.rows("select name * 2 from conformed.person") == [(25,)]
    assert project.become(person()) == ["person_name_retyped"]  # back again: nothing is lost
    assert project.rows("select name from conformed.person") == [("12.5",)]


def test_a_dropped_attribute_is_asked_about(project: Project) -> None:
    without = _person(origin=None)
    with pytest.raises(Fatal, match=r"(?s)person\.origin: no longer in the catalogue.*Nothing was written"):
        project.become(without)
    assert project.become(without, "person.origin") == ["person_origin_dropped"]
    assert project.rows("select name from conformed.person") == [("12.5",)]
    with pytest.raises(psycopg.errors.UndefinedColumn):
        project.rows("select origin from conformed.person")


def test_a_dropped_entity_is_asked_about(project: Project) -> None:
    with pytest.raises(Fatal, match=r"person: no longer in the catalogue: all its golden records"):
        project.become(None)
    assert project.become(None, "person") == ["person_dropped"]
    assert project.rows("select to_regclass('conformed.person_version') is null") == [(True,)]


def test_renaming_from_a_name_that_never_was_is_a_mistake(project: Project) -> None:
    entity = _person(fax={"meaning": "F.", "renamed_from": "telefax", "sources": {"shop.user": {"field": "nip"}}})
    with pytest.raises(Fatal, match="renamed_from names telefax, which the entity did not have"):
        project.become(entity)


def test_check_says_that_a_migration_is_missing_and_writes_none(project: Project) -> None:
    before = sorted(project.folder.glob("*"))
    stale = generate({"person": _person(origin=None)}, SYSTEMS, check=True, root=project.root)
    assert any(path.name.endswith("_person_origin_dropped.sql") for path in stale)
    assert sorted(project.folder.glob("*")) == before


def test_the_order_of_attributes_and_another_meaning_need_no_migration() -> None:
    entities = read_catalog().entities
    turned = {
        name: entity.model_copy(update={"attributes": dict(reversed(entity.attributes.items()))})
        for name, entity in reversed(entities.items())
    }
    assert migration_files(turned, ROOT) == {}


def test_the_snapshot_says_what_the_migrations_make(warehouse_url: str) -> None:
    with psycopg.connect(warehouse_url) as connection:
        for name, entity in read_catalog().entities.items():
            assert read_snapshot(ROOT)[name] == layout(entity)
            columns = connection.execute(
                "select attname, format_type(atttypid, null) from pg_attribute"
                " where attrelid = %s::regclass and attnum > 0 and not attisdropped",
                (f"conformed.{name}_version",),
            ).fetchall()
            made = {column: kind.replace("timestamp with time zone", "timestamptz") for column, kind in columns}
            assert layout(entity).attributes.items() <= made.items(), name


VALUES = {
    "text": "'7'::text",
    "integer": "7",
    "numeric": "7::numeric",
    "boolean": "true",
    "date": "date '2026-03-01'",
    "timestamptz": "timestamptz '2026-03-01 08:00+00'",
}


@pytest.mark.parametrize("old", VALUES)
def test_every_type_becomes_every_other_and_without_a_loss_comes_back(old: str, warehouse_url: str) -> None:
    with psycopg.connect(warehouse_url, options="-c TimeZone=UTC") as connection:
        for new in VALUES.keys() - {old}:
            there, back = cast(old, new), cast(new, old)
            returned = back.using.format(column=f"({there.using.format(column='given')})")
            query = sql.SQL("select {}, ({}) = given from (select {} offset 0) as t (given)").format(
                *map(sql.SQL, (there.using.format(column="given"), returned, VALUES[old]))
            )
            value, same = connection.execute(query).fetchone()
            if there.loss is None:
                assert value is not None and same, (old, new)


def test_the_command_offers_to_accept_a_loss() -> None:
    assert "--accept-loss" in CliRunner().invoke(command, ["--help"]).output
