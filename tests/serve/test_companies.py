"""Companies by number: as published, as their register says, and with their age when it does not answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from onefold.serve.companies import COLUMNS
from tests.roles import as_role
from tests.serve.conftest import Api
from tests.serve.world import CATALOG, answered, golden, publish


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_published_company_is_found_by_each_of_its_numbers(api: Api, kind: str) -> None:
    company = golden(api.legal_person)
    answer = api.http.get(f"/v1/companies/{kind}/{company[COLUMNS[kind]]}", headers=api.companies)
    assert answer.status_code == 200
    found = answer.json()
    assert found["company_id"] == str(company["company_id"])
    assert set(found["company"]) == set(CATALOG.entities["company"].attributes)
    assert found["company"]["legal_name"] == company["legal_name"]
    assert (found["stale"], found["natural_person"], found["hidden"]) == (False, False, ["bank_accounts"])


def test_a_company_that_is_fresh_here_costs_no_question(api: Api) -> None:
    before = api.rows("select sum(requests) from ops.usage where system <> 'api'")
    for company in api.published[:10]:
        assert api.http.get(f"/v1/companies/nip/{company.nip}", headers=api.companies).status_code == 200
    assert api.rows("select sum(requests) from ops.usage where system <> 'api'") == before


def test_what_is_not_published_is_asked_of_its_register_once_a_day(own_api: Api) -> None:
    krs = own_api.unpublished.krs
    first, second = (own_api.http.get(f"/v1/companies/krs/{krs}", headers=own_api.companies) for _ in range(2))
    assert first.status_code == 200
    assert first.json() == second.json()
    assert first.json()["company_id"] is None
    assert first.json()["company"]["tax_id_pl"] == own_api.unpublished.nip
    asked = "select api_client, requests from ops.usage where system = 'krs'"
    assert own_api.rows(asked) == [("companies", 1)]
    own_api.rows("update ops.api_answer set answered_at = answered_at - interval '25 hours' returning 1")
    assert not own_api.http.get(f"/v1/companies/krs/{krs}", headers=own_api.companies).json()["stale"]
    assert own_api.rows(asked) == [("companies", 2)]


def test_a_register_that_says_more_than_is_published_wins_where_it_is_trusted_most(own_api: Api) -> None:
    company = own_api.legal_person
    publish(own_api.url, [golden(company) | {"town": "Elsewhere", "vat_status": "exempt", "legal_name": None}])
    answered(own_api.url, own_api.registers.world, timedelta(hours=25))
    own_api.http.portal.call(own_api.http.app.state.follow)
    found = own_api.http.get(f"/v1/companies/nip/{company.nip}", headers=own_api.companies).json()
    assert found["company"]["town"] == company.city, "KRS is trusted most for the town"
    assert found["company"]["vat_status"] == "exempt", "KRS says nothing of VAT"
    assert not found["stale"]


def test_only_a_register_that_was_asked_says_that_there_is_no_such_company(own_api: Api) -> None:
    unknown = "5272889007"
    answer = own_api.http.get(f"/v1/companies/nip/{unknown}", headers=own_api.companies)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    own_api.rows("delete from ops.api_answer returning 1")
    own_api.registers.fault("regon", "status", code=503, times=-1)
    answer = own_api.http.get(f"/v1/companies/nip/{unknown}", headers=own_api.companies)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_a_number_with_a_wrong_check_digit_can_be_nobodys(api: Api) -> None:
    before = api.rows("select count(*) from ops.api_answer")
    for path in ("nip/5272889008", "regon/100123456"):
        assert api.http.get(f"/v1/companies/{path}", headers=api.companies).status_code == 404
    assert api.rows("select count(*) from ops.api_answer") == before


def test_with_every_register_down_every_known_company_is_answered_with_its_age(own_api: Api) -> None:
    told = datetime.now(UTC) - timedelta(days=3)
    answered(own_api.url, own_api.registers.world, timedelta(days=3))
    for system in ("krs", "regon", "vies", "white_list", "crbr"):
        own_api.registers.fault(system, "status", code=503, times=-1)
    for company in own_api.registers.world.companies[:40]:
        answer = own_api.http.get(f"/v1/companies/nip/{company.nip}", headers=own_api.companies)
        assert answer.status_code == 200
        assert answer.json()["stale"] is True
        assert abs(datetime.fromisoformat(answer.json()["as_of"]) - told) < timedelta(minutes=1)


def test_what_is_said_of_a_natural_person_needs_the_scope_people_and_is_in_the_audit_chain_before_it_is_shown(
    own_api: Api,
) -> None:
    trader = own_api.sole_trader
    path = f"/v1/companies/nip/{trader.nip}"
    masked = own_api.http.get(path, headers=own_api.companies)
    assert trader.name not in masked.text and trader.regon not in masked.text
    assert "legal_name" in masked.json()["hidden"]
    reads = "select actor, payload from audit.event where action = 'api.read'"
    assert own_api.rows(reads) == []
    shown = own_api.http.get(path, headers=own_api.all)
    assert shown.json()["company"]["legal_name"] == trader.name
    ((actor, payload),) = own_api.rows(reads)
    assert (actor, payload["endpoint"]) == ("api:all", "company_by_nip")


def test_the_reading_role_sees_no_personal_column_and_writes_nothing(api: Api) -> None:
    with psycopg.connect(as_role(api.url, "onefold_api"), autocommit=True) as session:
        for attempt in (
            "select people from ops.api_company",
            "select people from ops.api_answer",
            "select * from conformed.company_version",
            "insert into ops.api_client values ('a', '{}', 1, 1, now(), 'a')",
            "update ops.api_company set content = '{}'",
            "select ops.admit_api_requests('{a}', '{1}', '{1}')",
            "select pg_advisory_lock(1)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(attempt)
    with psycopg.connect(as_role(api.url, "onefold_api_writer"), autocommit=True) as session:
        for attempt in (
            "update ops.api_request set status = 200",
            "delete from ops.api_request",
            "update ops.api_client set scopes = '{people}'",
            "insert into ops.api_key values ('a', 'a', '', now(), 'a')",
            "select audit.append('a', 'load.publish', 'a', null, null, '{}', 'ok')",
            "select pg_advisory_lock(1)",
            "select * from staging.krs__extract",
        ):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)):
                session.execute(attempt)


def test_an_answer_that_the_client_has_already_is_not_sent_again(api: Api) -> None:
    path = f"/v1/companies/nip/{api.legal_person.nip}"
    first = api.http.get(path, headers=api.companies)
    again = api.http.get(path, headers=api.companies | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = api.http.get(path, headers=api.companies | {"If-None-Match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize("role", ["onefold_engineer", "onefold_auditor", "onefold_analyst"])
def test_what_the_api_holds_of_people_is_for_its_own_role_alone(api: Api, role: str) -> None:
    with psycopg.connect(as_role(api.url, role), autocommit=True) as session:
        for column, table in (
            ("people", "api_company"), ("content", "api_company"), ("tax_id_pl", "api_company"),
            ("name_form_people", "api_company"), ("people", "api_answer"), ("content", "api_answer"),
            ("lookup_key", "api_answer"), ("results", "api_check"), ("numbers", "api_check"),
            ("secret_hash", "api_key"), ("url", "api_webhook"),
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(
                    sql.SQL("select {} from {}").format(sql.Identifier(column), sql.Identifier("ops", table))
                )
