"""Personal logins: what they may, how they are changed and removed, and that the chain says so."""

from __future__ import annotations

import re

import psycopg
import pytest
from click.testing import CliRunner, Result

from onefold.commands.user import user
from onefold.errors import Fatal
from onefold.warehouse.access import READER_LIMITS
from onefold.warehouse.logins import add_login, logins, remove_login, rotate_password


def sign_in(url: str, name: str, password: str) -> psycopg.Connection:
    parts = psycopg.conninfo.conninfo_to_dict(url) | {"user": name, "password": password}
    return psycopg.connect(psycopg.conninfo.make_conninfo(**parts), autocommit=True)


def test_a_login_has_its_dutys_rights_and_limits_until_it_is_removed(warehouse_url: str) -> None:
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        first = add_login(owner, "maria.wilk", "analyst", pii=False, actor="os:tester")
        with sign_in(warehouse_url, "maria.wilk", first) as session:
            assert session.execute("select conformed.may_read_people(), count(*) from conformed.customer").fetchall()
            assert session.execute("select conformed.may_read_people()").fetchone() == (False,)
            assert session.execute("show statement_timeout").fetchone() == ("15min",)
            [maria] = logins(owner)
        most = READER_LIMITS["onefold_analyst"].sessions
        assert (maria.duty, maria.pii, maria.most_sessions, maria.statement_timeout) == (
            "analyst",
            False,
            most,
            "15min",
        )
        assert maria.sessions == 1
        with sign_in(warehouse_url, "maria.wilk", first) as session:
            second = rotate_password(owner, "maria.wilk", actor="os:tester")
            with pytest.raises(psycopg.OperationalError):
                session.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            sign_in(warehouse_url, "maria.wilk", first)
        with sign_in(warehouse_url, "maria.wilk", second) as session:
            remove_login(owner, "maria.wilk", actor="os:tester")
            with pytest.raises(psycopg.OperationalError):
                session.execute("select 1")
        assert logins(owner) == []
        told = owner.execute("select actor, action, subject, payload from audit.event order by seq").fetchall()
    assert [each[:3] for each in told] == [
        ("os:tester", f"login.{action}", "login:maria.wilk") for action in ("add", "password", "remove")
    ]
    assert told[0][3] == {"role": "analyst", "pii": False}
    assert first not in str(told) and second not in str(told)


def test_a_login_with_pii_reads_what_is_personal_and_is_watched(warehouse_url: str) -> None:
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        password = add_login(owner, "anna_k", "engineer", pii=True, actor="os:tester")
        try:
            with sign_in(warehouse_url, "anna_k", password) as session:
                assert session.execute("select conformed.may_read_people()").fetchone() == (True,)
                assert session.execute("show pg_stat_statements.track_utility").fetchone() == ("on",)
        finally:
            remove_login(owner, "anna_k", actor="os:tester")


@pytest.mark.parametrize("name", ["onefold_loader", "pg_monitor", "airflow", "Maria", "a", "x'; drop role postgres"])
def test_a_login_is_no_role_of_others(warehouse_url: str, name: str) -> None:
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        with pytest.raises(Fatal, match="cannot be a login"):
            add_login(owner, name, "analyst", pii=False, actor="os:tester")
        for change in (rotate_password, remove_login):
            with pytest.raises(Fatal, match="There is no login"):
                change(owner, name, actor="os:tester")


def run(url: str, *words: str) -> Result:
    return CliRunner(env={"POSTGRES_URL": url}).invoke(user, list(words), catch_exceptions=False)


def test_the_command_shows_a_password_once_and_lists_who_there_is(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.platform.warehouse.WAREHOUSE_DATABASE", warehouse_url.rpartition("/")[2])
    said = run(warehouse_url, "add", "ola", "--role", "auditor")
    (password,) = re.findall(r"password: (\S{32})$", said.stdout, re.MULTILINE)
    try:
        sign_in(warehouse_url, "ola", password).close()
        listed = run(warehouse_url, "list")
        assert re.search(r"^ola +auditor +no +0 +10 +15min$", listed.stdout, re.MULTILINE), listed.stdout
        with pytest.raises(Fatal, match="There is a role ola already"):
            run(warehouse_url, "add", "ola", "--role", "analyst")
    finally:
        with psycopg.connect(warehouse_url, autocommit=True) as owner:
            remove_login(owner, "ola", actor="os:tester")
