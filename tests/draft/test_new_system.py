"""`onefold new system`: a first draft that the catalogue accepts, from every kind of description."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import psycopg
import pytest
import yaml
from click.testing import CliRunner

from onefold.catalog.data_protection import check_data_protection
from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.catalog.yaml_file import CatalogError
from onefold.commands import new
from onefold.errors import Fatal
from onefold.settings import ROOT
from tests.draft.drafting import drafted

OPENAPI = {
    "openapi": "3.0.3",
    "info": {"title": "Invoicing", "version": "1"},
    "paths": {
        "/customers": {
            "get": {
                "summary": "Customers",
                "parameters": [
                    {"name": "updated_since", "in": "query", "schema": {"type": "string"}},
                    {"name": "page", "in": "query", "schema": {"type": "integer"}},
                    {"name": "per_page", "in": "query", "schema": {"type": "integer", "maximum": 200}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}}
                },
            }
        },
        "/customers/{id}": {"get": {"responses": {"200": {"description": "one"}}}},
    },
    "components": {
        "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        "schemas": {
            "Page": {
                "type": "object",
                "properties": {"data": {"type": "array", "items": {"$ref": "#/components/schemas/Customer"}}},
            },
            "Customer": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "email": {"type": "string", "nullable": True},
                    "limit": {"type": "number"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "updated_at": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}
EDMX = """<?xml version="1.0"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
 <edmx:DataServices><Schema Namespace="S" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
  <EntityType Name="PartnerType"><Key><PropertyRef Name="Partner"/></Key>
   <Property Name="Partner" Type="Edm.String"/><Property Name="EmailAddress" Type="Edm.String"/>
   <Property Name="Blocked" Type="Edm.Boolean"/><Property Name="LastChangeDate" Type="Edm.DateTime"/>
   <Property Name="LastChangeTime" Type="Edm.Time"/></EntityType>
  <EntityContainer Name="C"><EntitySet Name="A_Partner" EntityType="S.PartnerType"/></EntityContainer>
 </Schema></edmx:DataServices></edmx:Edmx>"""
CSV = "nr_faktury;data;kwota;NIP;opis\r\nFV/1;31.01.2026;1 234,50;5272889007;Śruby\r\nFV/2;01.02.2026;-7,00;;\r\n"
WSDL = Path(__file__).parents[2] / "sandbox" / "regon" / "regon-bir11.wsdl"


def test_openapi_gives_each_list_with_its_pages_window_fields_and_sign_in(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(OPENAPI))
    system = drafted("openapi", tmp_path / "api.json")
    (name, stream), *rest = system.streams.items()
    assert (name, rest, system.protocol, system.auth.kind) == ("customers", [], "rest", "basic")
    assert (stream.request.path, stream.request.params) == (
        "/customers",
        {"updated_since": "{start}", "per_page": "200"},
    )
    assert (stream.records, stream.next.kind, stream.next.parameter) == ("data", "number", "page")
    assert (stream.primary_key, stream.cursor.fields) == (["id"], ["updated_at"])
    fields = {name: (f.type, f.personal, f.required) for name, f in stream.fields.items()}
    assert fields == {
        "id": ("text", "none", True),
        "name": ("text", "organisation", True),
        "email": ("text", "contact", False),
        "limit": ("numeric", "none", False),
        "tags": ("json", "none", False),
        "updated_at": ("timestamp", "none", False),
    }


def test_edmx_gives_each_entity_set_with_its_key_and_the_stamp_in_two_fields(tmp_path: Path) -> None:
    (tmp_path / "metadata.xml").write_text(EDMX)
    system = drafted("edmx", tmp_path / "metadata.xml")
    stream = system.streams["a_partner"]
    assert (system.protocol, system.odata_version, stream.primary_key) == ("odata", 2, ["Partner"])
    assert (stream.cursor.kind, stream.cursor.fields) == ("date_and_time", ["LastChangeDate", "LastChangeTime"])
    assert stream.fields["EmailAddress"].personal == "contact"
    assert stream.fields["Blocked"].type == "boolean"


def test_a_wsdl_without_lists_is_refused_with_what_its_operations_are() -> None:
    """REGON's answers are XML in a string, and what it has besides are look-ups: nothing of it can be scheduled so."""
    with pytest.raises(Fatal, match=r"no operation of the WSDL answers a list.*Zaloguj: by its name"):
        drafted("wsdl", WSDL)


def test_a_database_gives_each_table_with_key_types_stamp_and_deletion_mark(warehouse_url: str, tmp_path: Path) -> None:
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute(
            "create table public.klienci (id_klienta int primary key, nazwa text, email text,"
            " limit_kredytu numeric(10,2), data_modyfikacji timestamptz, usuniety boolean)"
        )
    url = warehouse_url.replace("postgresql://", "postgresql+psycopg://")
    stream = drafted("database", url).streams["klienci"]
    assert (stream.request.table, stream.primary_key, stream.cursor.fields) == (
        "klienci", ["id_klienta"], ["data_modyfikacji"],
    )  # fmt: skip
    assert stream.deletes.flag.field == "usuniety"
    assert {name: f.type for name, f in stream.fields.items()} == {
        "id_klienta": "integer", "nazwa": "text", "email": "text", "limit_kredytu": "numeric",
        "data_modyfikacji": "timestamp", "usuniety": "boolean",
    }  # fmt: skip


def test_a_csv_file_gives_encoding_delimiter_decimal_sign_dates_and_types(tmp_path: Path) -> None:
    (tmp_path / "faktury.csv").write_bytes(CSV.encode("cp1250"))
    stream = drafted("csv", tmp_path / "faktury.csv").streams["faktury"]
    assert (stream.format.encoding, stream.format.delimiter, stream.format.decimal) == ("cp1250", ";", ",")
    assert stream.format.dates == "%d.%m.%Y"
    assert stream.primary_key == ["nr_faktury"]
    kinds = {name: stream.fields[name].type for name in ("nr_faktury", "data", "kwota", "NIP", "opis")}
    assert kinds == {"nr_faktury": "text", "data": "date", "kwota": "numeric", "NIP": "text", "opis": "text"}


def test_files_are_written_once_and_never_over_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new, "ROOT", tmp_path)
    for folder in ("catalog/systems", "expectations"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "api.json").write_text(json.dumps(OPENAPI))
    command = ["invoicing", "--from", "openapi", str(tmp_path / "api.json")]
    done = CliRunner().invoke(new.system, command)
    assert done.exit_code == 0, done.output
    assert "written: expectations/invoicing__customers.yaml" in done.output
    written = (tmp_path / "catalog/systems/invoicing.yaml").read_text()
    again = CliRunner().invoke(new.system, command)
    assert isinstance(again.exception, Fatal)
    assert "is there already; nothing was written" in str(again.exception)
    assert (tmp_path / "catalog/systems/invoicing.yaml").read_text() == written


def test_what_only_a_person_can_say_of_personal_data_is_drafted_and_named_by_check(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(OPENAPI))
    system = drafted("openapi", tmp_path / "api.json")
    file = tmp_path / "catalog" / "systems" / "made_up.yaml"
    file.parent.mkdir(parents=True)
    command = ["made_up", "--from", "openapi", str(tmp_path / "api.json"), "--stdout"]
    file.write_text(CliRunner().invoke(new.system, command).output)
    shutil.copy(ROOT / "catalog" / "privacy.yaml", tmp_path / "catalog")
    with pytest.raises(CatalogError, match="does not say their purpose, legal_basis, persons, recipients; add"):
        check_data_protection(Catalog({"made_up": system}, {}), tmp_path)
    privacy = yaml.safe_load(file.read_text())["streams"]["customers"]["privacy"]
    said = {
        each: re.sub("TODO: ", "", given) if isinstance(given, str) else ["Clients"] for each, given in privacy.items()
    }
    streams = {"customers": system.streams["customers"].model_dump(exclude_unset=True) | {"privacy": said}}
    streams["customers"]["privacy"]["legal_basis"] = "contract"
    whole = System.model_validate(system.model_dump(exclude_unset=True) | {"streams": streams})
    check_data_protection(Catalog({"made_up": whole}, {}), tmp_path)


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("openapi", "<html>", "no OpenAPI 3 description"),
        ("openapi", '{"swagger": "1.2"}', "nor one of Swagger 2"),
        ("openapi", '{"openapi": "3.0.0", "paths": {}}', "no GET without path parameters"),
        ("edmx", "no xml", "the file is no XML"),
        ("edmx", "<a/>", "no EDMX"),
        ("edmx", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "no XML"),
        ("wsdl", "<a/>", "write the stream by hand"),
        ("wsdl", "no xml", "cannot be read as a WSDL"),
        ("csv", "", "is empty"),
        ("csv", "one column\n1\n", "is no header"),
    ],
)
def test_a_description_that_is_none_is_refused_with_what_to_do(
    kind: str, content: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "given").write_text(content)
    with pytest.raises(Fatal, match=said):
        drafted(kind, tmp_path / "given")


def test_a_database_that_cannot_be_reached_is_told_without_its_password() -> None:
    with pytest.raises(Fatal, match="cannot be read") as raised:
        drafted("database", "postgresql+psycopg://me:s3cret@127.0.0.1:1/none")
    assert "s3cret" not in str(raised.value)
