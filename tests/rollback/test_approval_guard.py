"""The API server records who approves what they were shown, and lets through no answer that it has not recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import jwt
import pytest
from airflow.api_fastapi import app as airflow_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.revoked_token import RevokedToken
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from onefold.orchestration import approval_guard, sessions
from onefold.orchestration.approval_guard import ApprovalGuard, Shown
from onefold.orchestration.auth_manager import OnefoldAuthManager
from onefold.settings import APPROVALS_URL
from tests.approvals import asked
from tests.load.shop import Shop, record
from tests.roles import as_role
from tests.rollback.test_four_eyes import planned

KEY = "k" * 64
PATH = "/api/v2/dags/rollback/dagRuns/manual__1/taskInstances/approve/-1/hitlDetails"


@dataclass
class Server:
    """Airflow behind the guard: `reached` are the bodies that have come through to it."""

    client: TestClient
    manager: OnefoldAuthManager
    option: str
    reached: list[bytes] = field(default_factory=list)

    def signed_in(self, name: str, role: str) -> str:
        return self.manager.generate_jwt(SimpleAuthManagerUser(username=name, role=role))

    def answer(self, token: str | None, option: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.patch(PATH, json={"chosen_options": [option or self.option]}, headers=headers).status_code


@pytest.fixture
def server(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server in which somebody named engineer has started the run, and its plan is shown as it is stored."""
    load = shop.load([record("a", 1)])
    planned(shop, load.load_id, "manual__1")
    question = asked(shop.url, "rollback:1")
    plan = question.plan
    monkeypatch.setenv(APPROVALS_URL, as_role(shop.url, "onefold_approvals"))
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", KEY)
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "approver:user,engineer:op")
    monkeypatch.setattr(approval_guard, "_shown", lambda task: Shown(plan, "airflow:engineer"))
    monkeypatch.setattr(RevokedToken, "is_revoked", lambda jti: False)  # it asks Airflow's database
    monkeypatch.setattr(sessions, "_issued", {})
    for cached in (OnefoldAuthManager._get_token_signer, OnefoldAuthManager._get_token_validator):
        cached.cache_clear()
    manager = OnefoldAuthManager()
    monkeypatch.setattr(airflow_app._AuthManagerState, "instance", manager)
    reached: list[bytes] = []

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append((await receive())["body"])
        await PlainTextResponse("done")(scope, receive, send)

    yield Server(TestClient(ApprovalGuard(behind)), manager, question.approve_option, reached)
    for cached in (OnefoldAuthManager._get_token_signer, OnefoldAuthManager._get_token_validator):
        cached.cache_clear()


def decisions(shop: Shop) -> list[tuple[object, ...]]:
    return shop.query(
        "select action, actor from audit.event where action like 'approval.%' and action <> 'approval.request'"
        " order by seq"
    )


def test_an_approval_is_recorded_before_airflow_hears_of_it(server: Server, shop: Shop) -> None:
    assert server.answer(server.signed_in("approver", "user")) == 200
    assert server.reached == [json.dumps({"chosen_options": [server.option]}, separators=(",", ":")).encode()]
    assert decisions(shop) == [("approval.approve", "airflow:approver")]
    assert shop.query("select approved_by from ops.rollback") == [("approver",)]


def test_a_page_that_shows_an_older_plan_approves_nothing(
    server: Server, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left open in a second tab, while the run has planned something else and asks about that now."""
    seen = server.option
    planned(shop, shop.load([record("b", 2)]).load_id, "manual__1")
    plan = asked(shop.url, "rollback:1").plan
    monkeypatch.setattr(approval_guard, "_shown", lambda task: Shown(plan, "airflow:engineer"))
    for option in (seen, "Approve"):
        assert server.answer(server.signed_in("approver", "user"), option) == 403
    assert (server.reached, decisions(shop)) == ([], [])


def test_who_started_the_run_is_refused_before_airflow_hears_of_it(server: Server, shop: Shop) -> None:
    assert server.answer(server.signed_in("engineer", "op")) == 403
    assert server.reached == []
    assert decisions(shop) == [("approval.deny", "airflow:engineer")]
    assert server.answer(server.signed_in("engineer", "op"), "Reject") == 200
    assert decisions(shop)[-1] == ("approval.refuse", "airflow:engineer")


def test_a_token_that_was_forged_with_the_servers_own_key_records_nothing(server: Server, shop: Shop) -> None:
    real = jwt.decode(server.signed_in("approver", "user"), options={"verify_signature": False})
    forged = jwt.encode(
        {**real, "jti": "0" * 32, "exp": time.time() + 600}, KEY, algorithm="HS512", headers={"kid": "not-used"}
    )
    server.answer(forged)  # Airflow, which asks the same, refuses it
    assert decisions(shop) == []


def test_a_sign_in_outlives_the_api_server_and_a_forged_token_does_not(
    server: Server, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = server.signed_in("approver", "user")
    monkeypatch.setattr(sessions, "_issued", {})  # it was started anew
    assert sessions.was_issued(token)
    assert not sessions.was_issued(f"{token}x")
    monkeypatch.delenv(APPROVALS_URL)
    assert not sessions.was_issued(f"{token}x")


@pytest.mark.parametrize("role", ["viewer", None])
def test_who_may_not_answer_records_nothing(server: Server, shop: Shop, role: str | None) -> None:
    server.answer(server.signed_in("analyst", role) if role else None)
    assert decisions(shop) == []


def test_without_the_warehouse_nothing_is_answered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    token = server.signed_in("approver", "user")
    monkeypatch.setenv(APPROVALS_URL, "postgresql://nobody:x@127.0.0.1:1/none")
    assert server.answer(token) == 503
    assert server.reached == []


def test_a_plan_that_was_changed_where_airflow_shows_it_is_not_approved(
    server: Server, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval_guard, "_shown", lambda task: Shown("- a harmless thing", "airflow:engineer"))
    assert server.answer(server.signed_in("approver", "user")) == 403
    assert decisions(shop) == [("approval.deny", "airflow:approver")]


def test_airflow_uses_our_guard() -> None:
    from onefold_plugin import OnefoldPlugin

    assert [each["middleware"] for each in OnefoldPlugin.fastapi_root_middlewares] == [ApprovalGuard]
