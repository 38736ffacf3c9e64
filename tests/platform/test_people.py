"""Who may sign in is named people with one duty each, and what a duty allows in Airflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

from onefold.audit.person import Person
from onefold.errors import Fatal
from onefold.orchestration.auth_manager import OnefoldAuthManager
from onefold.orchestration.duties import AIRFLOW_ROLES, Duty
from onefold.orchestration.pools import SERVICE_ACCOUNT
from onefold.platform import airflow, container
from onefold.platform.people import accounts, airflow_users, first_of
from onefold.platform.postgres import Postgres
from onefold.platform.secrets import load_secrets
from onefold.settings import ROOT, Settings

WRITES: tuple[ResourceMethod, ...] = ("POST", "PUT", "DELETE")


def user(duty: Duty) -> SimpleAuthManagerUser:
    return SimpleAuthManagerUser(username="somebody", role=AIRFLOW_ROLES[duty])


def test_the_demo_has_a_different_person_for_each_duty() -> None:
    assert [account.duty for account in accounts()] == list(get_args(Duty))
    assert len({account.person for account in accounts()}) == len(get_args(Duty))


def test_airflow_knows_these_people_with_their_passwords_and_nobody_as_admin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_PEOPLE", "ewa.nowa:engineer,jan.stary:approver")
    settings = Settings(root=ROOT, home=tmp_path, pg_port=5001, ui_port=5002, sandbox_port=5003)
    secrets = load_secrets(tmp_path)
    found = airflow.environment(settings, secrets, Postgres(tmp_path, 5001), False)
    assert found["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == f"ewa.nowa:op,jan.stary:user,{SERVICE_ACCOUNT}:viewer"
    monkeypatch.setenv("ONEFOLD_PEOPLE", "ewa.nowa:engineer")  # Jan has left
    airflow.prepare(settings, load_secrets(tmp_path), Postgres(tmp_path, 5001))
    passwords = Path(found["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    assert json.loads(passwords.read_text()) == {name: secrets.ui[name] for name in ("ewa.nowa", SERVICE_ACCOUNT)}


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("ewa.nowa:engineer,Ewa.Nowa:approver", "ewa.nowa more than once"),
        ("jan:approver", "names no engineer"),
        ("ewa:engineer+all", r"'ewa:engineer\+all' is not a name and a duty"),
        ("ewa:engineer+", r"'ewa:engineer\+' is not a name and a duty"),
        ("ewa:boss", "'ewa:boss' is not a name and a duty"),
        ("ewa,jan:engineer", "'ewa' is not a name and a duty"),
        ("ewa nowa:engineer", "is not a name and a duty"),
        ("ewa:engineer,Onefold.Service:approver", "no person but the account of `up`"),
    ],
)
def test_a_list_of_people_that_cannot_be_is_refused(people: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_PEOPLE", people)
    with pytest.raises(Fatal, match=said):
        accounts()


def test_a_duty_that_nobody_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_PEOPLE", "ewa:engineer")
    with pytest.raises(Fatal, match="names no approver"):
        first_of("approver")


def test_a_person_is_issuer_and_subject() -> None:
    assert Person("local", "ewa") != Person("https://login.example/realms/one", "ewa")
    assert str(Person("local", "ewa")) == "ewa"
    assert str(Person("https://login.example/realms/one", "7f3")) == "7f3@https://login.example/realms/one"


def test_engineers_run_approvers_only_answer_and_the_others_only_read() -> None:
    manager = OnefoldAuthManager()
    allowed = {
        duty: {
            (method, entity.name if entity else None)
            for method in WRITES
            for entity in (None, *DagAccessEntity)
            if manager.is_authorized_dag(method=method, access_entity=entity, user=user(duty))
        }
        for duty in get_args(Duty)
    }
    assert allowed["approver"] == {(method, "HITL_DETAIL") for method in WRITES}
    assert allowed["analyst"] == allowed["auditor"] == set()
    assert ("POST", "RUN") in allowed["engineer"]
    for duty in get_args(Duty):
        assert manager.is_authorized_dag(method="GET", access_entity=DagAccessEntity.RUN, user=user(duty))
        change = {
            manager.is_authorized_connection(method="PUT", user=user(duty)),
            manager.is_authorized_variable(method="PUT", user=user(duty)),
            manager.is_authorized_pool(method="PUT", user=user(duty)),
        }
        assert change == {duty == "engineer"}


def test_the_service_account_makes_pools_and_can_do_and_approve_nothing_else() -> None:
    manager, up = (
        OnefoldAuthManager(),
        SimpleAuthManagerUser(username=SERVICE_ACCOUNT, role=airflow_users()[SERVICE_ACCOUNT]),
    )
    assert [method for method in WRITES if manager.is_authorized_pool(method=method, user=up)] == ["POST"]
    assert not manager.is_authorized_pool(method="POST", user=user("approver"))
    refused = [
        *(
            manager.is_authorized_dag(method=method, access_entity=entity, user=up)
            for method in WRITES
            for entity in (None, *DagAccessEntity)
        ),
        *(manager.is_authorized_connection(method=method, user=up) for method in WRITES),
        *(manager.is_authorized_variable(method=method, user=up) for method in WRITES),
        *(manager.is_authorized_asset(method=method, user=up) for method in WRITES),
    ]
    assert not any(refused)


def test_a_container_refuses_a_user_without_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = tmp_path / "ui-passwords.json"
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(passwords))
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "ewa.nowa:op,jan.stary:user")
    monkeypatch.setenv("UI_PASSWORDS", "ewa.nowa:one")
    with pytest.raises(Fatal, match=r"gives jan\.stary no password"):
        container.ui_passwords()
    monkeypatch.setenv("UI_PASSWORDS", "ewa.nowa:one,jan.stary:two")
    container.ui_passwords()
    assert json.loads(passwords.read_text()) == {"ewa.nowa": "one", "jan.stary": "two"}
