"""catalog/warehouses: what a file may say, and how a mistake is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from onefold.catalog.delivery_target import read_delivery_targets
from onefold.catalog.yaml_file import CatalogError
from onefold.deliver.clients import client_of, missing_clients
from onefold.deliver.open import open_target
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from tests.deliver.world import ENTITIES

RIGHT = "warehouse: there\ntitle: There\nkind: duckdb\npath: there.duckdb\n"


def written(root: Path, text: str, name: str = "there") -> Path:
    folder = root / "catalog" / "warehouses"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(text)
    return root


def test_a_file_is_a_target_and_without_a_folder_there_is_none(tmp_path: Path) -> None:
    assert read_delivery_targets(ENTITIES, tmp_path) == {}
    target = read_delivery_targets(ENTITIES, written(tmp_path, RIGHT))["there"]
    assert (target.kind, target.entities, target.marts, target.personal) == ("duckdb", "all", "all", [])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (RIGHT + "entities: [custmer]\n", 5, 'unknown entity "custmer"; did you mean "customer"?'),
        (RIGHT + "entities: [contact]\npersonal: [customer]\n", 6, '"customer" is not among entities; add it there'),
        (RIGHT.replace("path: there.duckdb", "connection: there"), 3, "duckdb needs path"),
        (RIGHT + "connection: there\n", 5, "duckdb has no connection"),
        (RIGHT.replace("there.duckdb", "lake/marts.duckdb"), 4, "name the file otherwise"),
        (RIGHT.replace("kind: duckdb", "kind: oracle"), 3, "duckdb"),
        (RIGHT.replace("warehouse: there", "warehouse: here"), 1, "the file is there.yaml"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_remedy(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(CatalogError) as wrong:
        read_delivery_targets(ENTITIES, written(tmp_path, text))
    (mistake,) = wrong.value.mistakes
    assert (mistake.file.name, mistake.line) == ("there.yaml", line) and said in mistake.text


def test_a_connection_leads_to_the_other_postgresql_and_its_secret_is_in_no_name(tmp_path: Path) -> None:
    text = RIGHT.replace("kind: duckdb\npath: there.duckdb", "kind: postgres\nconnection: other")
    said = read_delivery_targets(ENTITIES, written(tmp_path, text))["there"]
    endpoint = Endpoint("postgres://db.example:5433/analytics", "writer", "s3cret/word", {"sslmode": "verify-full"})
    target = open_target(said, tmp_path, lambda name: endpoint)
    assert target.place == "postgres://db.example:5433" and "s3cret" not in repr(target)
    with pytest.raises(Fatal, match="is not a PostgreSQL database"):
        open_target(said, tmp_path, lambda name: Endpoint("https://db.example"))


RSA = rsa.generate_private_key(65537, 2048)
PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
IN_A_CLOUD = {
    "s3": ("s3://lake/onefold", "s3://lake/onefold", {"region": "eu-central-1"}),
    "snowflake": (
        "https://acme-eu.snowflakecomputing.com",
        "snowflake://acme-eu.snowflakecomputing.com",
        {"database": "analytics", "warehouse": "small", "private_key_content": PEM},
    ),
    "bigquery": ("https://bigquery.googleapis.com", "bigquery://acme", {"project": "acme", "location": "EU"}),
    "redshift": (
        "postgres://acme.redshift.amazonaws.com:5439/analytics",
        "redshift://acme.redshift.amazonaws.com:5439",
        {"staging": "s3://lake/staging", "iam_role": "default", "region": "eu-central-1"},
    ),
}


@pytest.mark.parametrize("kind", IN_A_CLOUD)
def test_a_connection_leads_to_a_warehouse_in_a_cloud_and_one_that_lacks_something_says_what(
    tmp_path: Path, kind: str
) -> None:
    url, place, extra = IN_A_CLOUD[kind]
    text = RIGHT.replace("kind: duckdb\npath: there.duckdb", f"kind: {kind}\nconnection: there")
    said = read_delivery_targets(ENTITIES, written(tmp_path, text))["there"]
    target = open_target(said, tmp_path, lambda name: Endpoint(url, "writer", None, extra))
    assert target.place == place and "s3cret" not in repr(target)
    elsewhere = Endpoint("https://example.com", "writer", "s3cret")
    with pytest.raises(Fatal, match=r"there: .*(docs/targets|s3://bucket)") as wrong:
        open_target(said, tmp_path, lambda name: elsewhere)
    assert "s3cret" not in str(wrong.value)


def test_check_says_how_the_client_of_a_warehouse_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = RIGHT.replace("kind: duckdb\npath: there.duckdb", "kind: snowflake\nconnection: there")
    targets = read_delivery_targets(ENTITIES, written(tmp_path, text)).values()
    monkeypatch.setattr("onefold.deliver.clients.find_spec", lambda name: None)
    said = "the client of snowflake is not installed. Run: make warehouses"
    assert missing_clients(targets) == [f"there: {said}"]
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    with pytest.raises(Fatal, match="Run: make warehouses"):
        client_of("snowflake")
    assert missing_clients([]) == []
