"""Secrets are generated once, are their owner's only, and show in no repr."""

from __future__ import annotations

import json
import stat
from base64 import b64decode
from pathlib import Path

import pytest

from onefold.errors import Fatal
from onefold.platform.people import DEMO_PEOPLE, airflow_users
from onefold.platform.secrets import DATABASE_ROLES, load_secrets
from onefold.settings import secret, warehouse_url


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_secrets_stay_what_they_are_and_differ_between_installations(tmp_path: Path) -> None:
    first = load_secrets(tmp_path / "one")
    assert load_secrets(tmp_path / "one") == first
    assert load_secrets(tmp_path / "two") != first


def test_every_role_and_user_has_its_own_password(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path)
    assert set(secrets.database) == set(DATABASE_ROLES)
    assert set(secrets.ui) == set(airflow_users())
    passwords = [*secrets.database.values(), *secrets.ui.values()]
    assert len(set(passwords)) == len(passwords)
    assert len(b64decode(secrets.jwt_secret)) == 64


def test_an_older_installation_gets_the_passwords_that_it_lacks_and_keeps_the_others(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    path = tmp_path / "secrets.json"
    held = json.loads(path.read_text())
    del held["database"]["erp_reader"]
    path.write_text(json.dumps(held))
    grown = load_secrets(tmp_path)
    assert grown.database == {**first.database, "erp_reader": grown.database["erp_reader"]}
    assert grown.database["erp_reader"] != first.database["erp_reader"]
    assert load_secrets(tmp_path) == grown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secrets.json"]


def test_a_person_who_is_added_gets_a_password_and_the_others_keep_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_secrets(tmp_path)
    monkeypatch.setenv("ONEFOLD_PEOPLE", f"{DEMO_PEOPLE},ewa.nowa:engineer")
    grown = load_secrets(tmp_path)
    assert grown.ui == {**first.ui, "ewa.nowa": grown.ui["ewa.nowa"]}
    assert load_secrets(tmp_path) == grown


def test_no_secret_shows_in_a_repr(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path)
    assert repr(secrets) == "Secrets()"


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(Fatal, match=r"secrets\.json .*--delete-data"):
        load_secrets(tmp_path)


def test_a_secret_comes_from_its_variable_or_from_the_file_that_another_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ONEFOLD_WAREHOUSE_URL", "ONEFOLD_WAREHOUSE_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert secret("ONEFOLD_WAREHOUSE_URL") is None
    file = tmp_path / "url"
    file.write_text("postgresql://loader:hidden-word@db/warehouse\n")
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL_FILE", str(file))
    assert warehouse_url() == "postgresql://loader:hidden-word@db/warehouse"
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", "postgresql://elsewhere")
    with pytest.raises(Fatal, match="are both set"):
        warehouse_url()
    monkeypatch.delenv("ONEFOLD_WAREHOUSE_URL")
    file.unlink()
    with pytest.raises(Fatal, match="cannot be read: FileNotFoundError"):
        warehouse_url()
