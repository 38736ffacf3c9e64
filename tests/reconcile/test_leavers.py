"""Who has left HR or the realm: somebody is told, and where the settings say so, all that lets them in is ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.audit.person import Person
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.orchestration.oidc import accounts as api_server
from onefold.orchestration.oidc.provider import Rights
from onefold.reconcile.leavers import Leavers, check_leavers, leavers
from onefold.reconcile.sla_checks import check_slas
from onefold.serve.keys import create_key
from onefold.settings import APPROVALS_URL
from onefold.warehouse.accounts import link_login
from onefold.warehouse.logins import add_login, remove_login
from tests.roles import as_role
from tests.warehouse.test_logins import sign_in

ISSUER = "https://sso.example.com/realms/onefold"
TODAY = datetime.now(UTC).date()
PEOPLE: dict[str, tuple[str | None, bool, list[date | None]]] = {
    "stays": ("stays@x.pl", True, [None]),
    "leaves-later": ("later@x.pl", True, [TODAY]),
    "has-left": ("left@x.pl", True, [TODAY - timedelta(days=1)]),
    "came-back": ("back@x.pl", True, [TODAY - timedelta(days=900), None]),
    "no-employee": ("guest@x.pl", True, []),
    "no-address": (None, True, []),
    "disabled": ("off@x.pl", False, [None]),
}
"""By subject: the proven address, whether the realm lets them in, and the last day of work of who has the address."""


def account(subject: str) -> str:
    return Person(ISSUER, subject).account


def insert(owner: psycopg.Connection, table: str, **row: object) -> None:
    columns, values = sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join([sql.Placeholder()] * len(row))
    statement = sql.SQL("insert into conformed.{} ({}) values ({})").format(sql.Identifier(table), columns, values)
    owner.execute(statement, list(row.values()))


@pytest.fixture
def owner(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """Identities and employees are published; all of PEOPLE have signed in, and one whom the realm has deleted."""
    monkeypatch.setenv(APPROVALS_URL, as_role(warehouse_url, "onefold_approvals"))
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        (publish,) = owner.execute(
            "insert into ops.publish (state, actor, mappings) values ('published', 'test', '{}') returning publish_id"
        ).fetchone()
        for entity in ("identity", "employee"):
            owner.execute(
                "insert into ops.published (entity, publish_id, actor) values (%s, %s, 'x')", (entity, publish)
            )
        common = {"source_of_truth": "x", "_systems": ["x"], "_records": 1, "_members": ["x"], "_loads": [1],
                  "_mapping_versions": [1], "_winning_members": [1], "_hash": "1", "_publish_id": publish}  # fmt: skip
        record = {"system": "keycloak", "stream": "user", "_publish_id": publish}
        for subject, (email, enabled, last_days) in PEOPLE.items():
            found = uuid.uuid4()
            insert(owner, "identity_version", identity_id=found, email=email, enabled=enabled, **common)
            insert(owner, "identity_crosswalk_version", record=subject, key=subject, identity_id=found, **record)
            for day in last_days:
                insert(owner, "employee_version", employee_id=uuid.uuid4(), email=email, left_on=day, **common)
        gone = {"record": "deleted", "key": "deleted", "identity_id": uuid.uuid4(), "_ended_publish_id": publish}
        insert(owner, "identity_crosswalk_version", **record, **gone)
        for subject in (*PEOPLE, "deleted", "never-loaded"):
            api_server.record_sign_in(Person(ISSUER, subject), Rights("engineer", pii=False))
        yield owner


GONE = sorted(map(account, ("has-left", "disabled", "deleted")))


def alerts(owner: psycopg.Connection) -> list[tuple[str, bool]]:
    return owner.execute(
        "select subject, resolved_at is null from ops.alert where kind = 'leaver' order by 1"
    ).fetchall()


def ended(owner: psycopg.Connection) -> list[str]:
    return [name for (name,) in owner.execute("select account from ops.account where ended_at is not null order by 1")]


def test_who_has_left_is_told_of_and_nobody_else_until_they_are_back(
    owner: psycopg.Connection, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_OIDC_USERS", "keycloak.user")
    run = Run("reconcile", "manual__1", "os:tester")
    check_slas(loader_url, {}, run, [], None, [])
    assert (alerts(owner), ended(owner)) == ([(name, True) for name in GONE], [])
    messages = " ".join(text for (text,) in owner.execute("select message from ops.alert"))
    assert f"bin/onefold account end {account('has-left')}" in messages and "x.pl" not in messages
    owner.execute("update conformed.employee_version set left_on = null")
    owner.execute("update conformed.identity_version set enabled = true")
    check_slas(loader_url, {}, run, [], None, [])
    assert [name for name, is_open in alerts(owner) if is_open] == [account("deleted")]


def test_by_setting_their_tokens_login_and_keys_end_and_the_chain_says_why(
    owner: psycopg.Connection, warehouse_url: str, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = account("has-left")
    password = add_login(owner, "has.left", "engineer", pii=False, actor="os:tester")
    link_login(owner, who, "has.left", actor="os:tester")
    create_key(owner, "hers", ["companies"], 1, 1, None, actor="os:tester", account=who)
    create_key(owner, "others", ["companies"], 1, 1, None, actor="os:tester")
    owner.execute(
        "insert into ops.session (token_sha256, subject, expires_at) values ('00', %s, now() + interval '1 hour')",
        (who,),
    )
    try:
        with sign_in(warehouse_url, "has.left", password) as session:
            with psycopg.connect(loader_url, autocommit=True) as loader:
                what = Leavers("keycloak", "user", end=True)
                assert check_leavers(loader, "os:tester", what) == GONE
                assert check_leavers(loader, "os:tester", what) == [], "once"
            with pytest.raises(psycopg.OperationalError):
                session.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            sign_in(warehouse_url, "has.left", password)
    finally:
        remove_login(owner, "has.left", actor="os:tester")
    assert ended(owner) == GONE
    assert alerts(owner) == [(name, False) for name in GONE], "told, and resolved"
    assert api_server.record_sign_in(Person(ISSUER, "has-left"), Rights("engineer", pii=False)) is True
    revoked = owner.execute("select client, revoked_at is not null from ops.api_key order by 1").fetchall()
    assert revoked == [("hers", True), ("others", False)]
    assert owner.execute("select count(*) from ops.session").fetchone() == (0,)
    query = "select subject, payload from audit.event where action = 'account.end' order by 1"
    events = {subject.removeprefix("account:"): payload for subject, payload in owner.execute(query)}
    assert events[who] == {"reason": "left", "keys_revoked": 1}
    reasons = {events[account(each)]["reason"] for each in ("disabled", "deleted")}
    assert reasons == {"disabled", "deleted"}


def test_settings_that_would_find_nobody_are_refused_and_none_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert leavers() is None
    monkeypatch.setenv("ONEFOLD_LEAVERS", "end")
    assert leavers() is None
    monkeypatch.setenv("ONEFOLD_OIDC_USERS", "keycloak.user")
    assert leavers() == Leavers("keycloak", "user", end=True)
    for name, value in (("ONEFOLD_LEAVERS", "fire"), ("ONEFOLD_OIDC_USERS", "keycloak")):
        with monkeypatch.context() as wrong:
            wrong.setenv(name, value)
            with pytest.raises(Fatal, match=name):
                leavers()
