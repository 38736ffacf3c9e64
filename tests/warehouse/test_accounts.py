"""Accounts of the identity provider: what follows the groups of their person, and what ends when they leave."""

from __future__ import annotations

import psycopg
import pytest

from onefold.audit.person import Person
from onefold.errors import Fatal
from onefold.orchestration.oidc import accounts as api_server
from onefold.orchestration.oidc.provider import Rights
from onefold.settings import APPROVALS_URL
from onefold.warehouse.accounts import accounts, end_account, link_login, reopen_account
from onefold.warehouse.logins import add_login, remove_login
from tests.roles import as_role
from tests.warehouse.test_logins import sign_in

EWA = Person("https://sso.example.com/realms/onefold", "5f2c0a1e-77aa-4b1c-9d2e-0123456789ab")


@pytest.fixture
def owner(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection:
    monkeypatch.setenv(APPROVALS_URL, as_role(warehouse_url, "onefold_approvals"))
    monkeypatch.setattr(api_server, "_looked", {})
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        yield connection


def told(owner: psycopg.Connection, action: str) -> list[tuple[str, dict[str, object]]]:
    query = "select actor, payload from audit.event where action = %s order by seq"
    return owner.execute(query, (action,)).fetchall()


def test_a_personal_login_follows_the_groups_at_each_sign_in_and_ends_with_the_account(
    owner: psycopg.Connection, warehouse_url: str
) -> None:
    api_server.record_sign_in(EWA, Rights("analyst", pii=False))
    password = add_login(owner, "ewa.follows", "analyst", pii=False, actor="os:tester")
    try:
        link_login(owner, EWA.account, "ewa.follows", actor="os:tester")
        with sign_in(warehouse_url, "ewa.follows", password) as session:

            def is_member(role: str) -> bool:
                (found,) = session.execute("select pg_has_role(%s, 'usage')", (role,)).fetchone()
                return found

            assert (is_member("onefold_analyst"), is_member("onefold_pii")) == (True, False)
            assert api_server.record_sign_in(EWA, Rights("engineer", pii=True)) is False
            assert (is_member("onefold_engineer"), is_member("onefold_pii")) == (True, True)
            assert not is_member("onefold_analyst")
            api_server.record_sign_in(EWA, None)
            with pytest.raises(psycopg.OperationalError):
                session.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            sign_in(warehouse_url, "ewa.follows", password)
        api_server.record_sign_in(EWA, Rights("analyst", pii=False))
        with sign_in(warehouse_url, "ewa.follows", password) as session:
            assert end_account(owner, EWA.account, actor="os:tester")
            with pytest.raises(psycopg.OperationalError):
                session.execute("select 1")
        assert api_server.record_sign_in(EWA, Rights("analyst", pii=False)) is True, "refused at the door"
        with pytest.raises(psycopg.OperationalError):
            sign_in(warehouse_url, "ewa.follows", password)
    finally:
        remove_login(owner, "ewa.follows", actor="os:tester")
    assert accounts(owner)[0].login is None
    assert [payload["duty"] for _, payload in told(owner, "account.rights")] == [
        "analyst", "engineer", "none", "analyst"
    ]  # fmt: skip


def test_the_password_of_a_login_that_follows_is_good_for_a_day_after_the_sign_in(owner: psycopg.Connection) -> None:
    api_server.record_sign_in(EWA, Rights("analyst", pii=False))
    add_login(owner, "ewa.day", "engineer", pii=True, actor="os:tester")
    try:
        link_login(owner, EWA.account, "ewa.day", actor="os:tester")
        query = "select rolvaliduntil - now() from pg_roles where rolname = 'ewa.day'"
        ((left,),) = owner.execute(query).fetchall()
        assert 23.9 < left.total_seconds() / 3600 <= 24
        query = "select roleid::regrole::text from pg_auth_members where member = '\"ewa.day\"'::regrole"
        assert owner.execute(query).fetchall() == [("onefold_analyst",)], "not what it was made with"
    finally:
        remove_login(owner, "ewa.day", actor="os:tester")


def test_only_logins_that_were_made_for_persons_follow_and_each_only_one(owner: psycopg.Connection) -> None:
    api_server.record_sign_in(EWA, Rights("analyst", pii=False))
    other = Person(EWA.issuer, "other")
    api_server.record_sign_in(other, Rights("engineer", pii=True))
    with pytest.raises(Fatal):
        link_login(owner, EWA.account, "onefold_loader", actor="os:tester")
    owner.execute("update ops.account set login = 'onefold_loader' where account = %s", (EWA.account,))
    api_server.record_sign_in(EWA, None)
    assert owner.execute("select rolcanlogin from pg_roles where rolname = 'onefold_loader'").fetchone() == (True,)
    add_login(owner, "ewa.one", "analyst", pii=False, actor="os:tester")
    try:
        link_login(owner, EWA.account, "ewa.one", actor="os:tester")
        with pytest.raises(Fatal, match="another account"):
            link_login(owner, other.account, "ewa.one", actor="os:tester")
    finally:
        remove_login(owner, "ewa.one", actor="os:tester")
    with pytest.raises(Fatal, match="Nobody has signed in"):
        end_account(owner, "nobody", actor="os:tester")


def test_nobody_without_a_group_gets_an_account_and_one_that_has_ended_is_opened_by_hand_only(
    owner: psycopg.Connection,
) -> None:
    assert api_server.record_sign_in(EWA, None) is False
    assert accounts(owner) == []
    api_server.record_sign_in(EWA, Rights("auditor", pii=False))
    assert not api_server.has_ended(EWA.account)
    assert end_account(owner, EWA.account, actor="os:tester")
    assert not end_account(owner, EWA.account, actor="os:tester")
    assert not api_server.has_ended(EWA.account), "known for some seconds"
    api_server._looked.clear()
    assert api_server.has_ended(EWA.account)
    reopen_account(owner, EWA.account, actor="os:tester")
    assert not api_server.has_ended(EWA.account)
    with pytest.raises(Fatal, match="has ended"):
        reopen_account(owner, EWA.account, actor="os:tester")
    assert [payload for _, payload in told(owner, "account.end")] == [{"reason": "by_hand", "keys_revoked": 0}]


@pytest.mark.parametrize("role", ["onefold_loader", "onefold_engineer", "onefold_analyst", "onefold_api"])
def test_only_the_api_server_says_what_groups_allow_and_nobody_but_the_superuser_opens_an_account(
    owner: psycopg.Connection, warehouse_url: str, role: str
) -> None:
    api_server.record_sign_in(EWA, Rights("analyst", pii=False))
    with psycopg.connect(as_role(warehouse_url, role), autocommit=True) as session:
        for statement in (
            "select audit.record_sign_in('x', 'x', 'x', 'engineer', true)",
            "select ops.follow_account('x')",
            "update ops.account set duty = 'engineer'",
            "update ops.account set ended_at = null",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)


def test_without_the_warehouse_a_sign_in_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(APPROVALS_URL, "postgresql://onefold_approvals@127.0.0.1:1/down")
    assert api_server.record_sign_in(EWA, Rights("analyst", pii=False)) is None
    assert not api_server.has_ended(EWA.account)
