"""The command line acts in the name of whoever has signed in, and of nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from onefold.commands import login as commands
from onefold.commands.audit_restored import person_who_says
from onefold.commands.runs import airflow
from onefold.errors import Fatal
from onefold.platform.api import AirflowApi
from onefold.platform.secrets import load_secrets
from onefold.platform.sign_in import airflow_session, sign_in, sign_out, signed_in
from onefold.settings import ROOT, Settings

PASSWORDS = {"anna.kowal": "hers", "piotr.zaremba": "his"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose Airflow knows two people."""

    def token(api: AirflowApi) -> str:
        if api._credentials != {"username": api._user, "password": PASSWORDS.get(api._user)}:
            raise Fatal(f"refused to sign {api._user} in")
        return f"token of {api._user}"

    monkeypatch.setattr(AirflowApi, "_sign_in", token)
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
    for variable in ("ONEFOLD_USER", "ONEFOLD_PASSWORD_FILE"):
        monkeypatch.delenv(variable, raising=False)
    load_secrets(tmp_path)  # what the installation knows of everybody
    return Settings(root=ROOT, home=tmp_path, pg_port=5001, ui_port=5002, sandbox_port=5003)


def test_nothing_is_started_in_anybodys_name_before_somebody_has_signed_in(here: Settings) -> None:
    with pytest.raises(Fatal, match="Nobody has signed in"):
        airflow(here)


def test_what_is_started_has_the_name_of_whoever_has_signed_in(here: Settings) -> None:
    for name, password in PASSWORDS.items():
        sign_in(here, name, password)
        assert airflow(here).token == f"token of {name}"
    assert sign_out(here) == "piotr.zaremba"
    assert signed_in(here) is None


def test_a_restore_is_said_by_whom_airflow_knows_and_only_by_an_engineer_or_approver(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(here, "anna.kowal", "hers")
    for name in ("maria.wilk", "tomasz.gora", "onefold.service", "somebody.else"):
        monkeypatch.setattr(AirflowApi, "user_name", lambda _, name=name: name)
        with pytest.raises(Fatal, match="neither an engineer nor an approver"):
            person_who_says(here)
    monkeypatch.setattr(AirflowApi, "user_name", lambda _: "piotr.zaremba")  # the token is his, the file says Anna
    assert person_who_says(here) == "airflow:piotr.zaremba"


def test_a_wrong_password_signs_nobody_in(here: Settings) -> None:
    with pytest.raises(Fatal, match="refused"):
        sign_in(here, "anna.kowal", "his")
    assert signed_in(here) is None


def test_the_token_is_kept_without_the_password_for_this_login_alone(here: Settings) -> None:
    sign_in(here, "anna.kowal", "hers")
    (path,) = (here.home / "sessions").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"user": "anna.kowal", "token": "token of anna.kowal", "refresh": ""}
    assert "token of" not in repr(signed_in(here))


def test_a_script_signs_in_with_a_file(here: Settings, tmp_path: Path) -> None:
    sign_in(here, "anna.kowal", "hers")
    (tmp_path / "password").write_text("his\n")
    script = {"ONEFOLD_USER": "piotr.zaremba", "ONEFOLD_PASSWORD_FILE": str(tmp_path / "password")}
    assert airflow_session(AirflowApi, here, script).token == "token of piotr.zaremba"
    with pytest.raises(Fatal, match="name the file"):
        airflow_session(AirflowApi, here, {"ONEFOLD_USER": "piotr.zaremba"})


def test_login_whoami_and_logout(here: Settings) -> None:
    runner = CliRunner()
    assert runner.invoke(commands.whoami).exit_code == 1
    said = runner.invoke(commands.login, ["anna.kowal"], input="hers\n")
    assert (said.exit_code, "Signed in as anna.kowal" in said.output, "hers" in said.output) == (0, True, False)
    assert runner.invoke(commands.whoami).output == "anna.kowal\n"
    assert runner.invoke(commands.logout).output == "anna.kowal is signed out.\n"
    assert runner.invoke(commands.login, ["piotr.zaremba", "--password-stdin"], input="his\n").exit_code == 0
    assert runner.invoke(commands.whoami).output == "piotr.zaremba\n"
