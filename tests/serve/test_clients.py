"""Who may ask, how often, and what is recorded of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from click.testing import CliRunner

from onefold.commands.audit_requests import requests_command
from onefold.errors import Fatal
from onefold.serve.answer_counts import AnswerCounts
from onefold.serve.keys import create_key, keys, revoke_key
from tests.roles import as_role
from tests.serve.conftest import Api, serve


def test_without_a_valid_key_nothing_is_answered(api: Api) -> None:
    for headers in (
        {},
        {"X-API-Key": "onefold_aaaaaaaaaaaa_" + "x" * 43},
        {"Authorization": "Bearer a.b.c"},
        {"X-API-Key": ""},
    ):
        answer = api.http.get("/v1/usage", headers=headers)
        assert (answer.status_code, "www-authenticate" in answer.headers) == (401, True)
    assert api.http.get(f"/v1/usage?key={api.all['X-API-Key']}").status_code == 401, "a key in the URL is none"


def test_of_a_key_only_its_hash_is_stored(api: Api) -> None:
    key = api.key("companies", client="stored")["X-API-Key"]
    secret = key.rpartition("_")[2]
    assert api.rows("select 1 from ops.api_key as k where k::text like %s", f"%{secret}%") == []
    assert api.rows("select 1 from audit.event as e where e::text like %s", f"%{secret}%") == []


def test_a_revoked_or_expired_key_is_accepted_no_more(own_api: Api) -> None:
    with psycopg.connect(own_api.url, autocommit=True) as owner:
        held = create_key(owner, "crm", ["companies"], 100, 100, 30, actor="os:test")
        revoked, expired = (create_key(owner, "crm", ["companies"], 100, 100, 1, actor="os:test") for _ in range(2))
        revoke_key(owner, revoked.split("_")[1], actor="os:test")
        owner.execute("update ops.api_key set expires_at = now() where key_id = %s", (expired.split("_")[1],))
        with pytest.raises(Fatal):
            revoke_key(owner, revoked.split("_")[1], actor="os:test")
        assert len([each for each in keys(owner) if each.client == "crm"]) == 3
    answers = [
        own_api.http.get("/v1/usage", headers={"X-API-Key": key}).status_code for key in (held, revoked, expired)
    ]
    assert answers == [200, 401, 401]
    told = own_api.rows("select action from audit.event where action like 'api.key%' and payload ->> 'client' = 'crm'")
    assert [each for (each,) in told].count("api.key_create") == 3
    assert ("api.key_revoke",) in told


def test_a_scope_that_a_client_has_not_is_refused(api: Api) -> None:
    assert api.http.get("/v1/companies/krs/0000000001/relations", headers=api.companies).status_code == 403
    assert api.http.get("/v1/usage", headers=api.key("watch", client="watcher")).status_code == 403


def test_a_monthly_quota_is_kept_by_all_processes_together(own_api: Api) -> None:
    header = own_api.key("companies", quota=30, client="small")

    def ask(http: object) -> list[int]:
        return [http.get("/v1/usage", headers=header).status_code for _ in range(25)]

    with serve(own_api.url, own_api.registers) as other, ThreadPoolExecutor(2) as pool:
        statuses = [status for each in pool.map(ask, (own_api.http, other)) for status in each]
    assert sorted(statuses) == [200] * 30 + [429] * 20
    assert own_api.rows("select requests from ops.api_allowance where client = 'small'") == [(30,)]


def test_a_client_that_asks_too_fast_is_told_when_to_come_again(own_api: Api) -> None:
    ((waits,),) = own_api.rows(
        "select ops.admit_api_requests(array_fill('fast'::text, array[8]), array_fill(5, array[8]),"
        " array_fill(100::bigint, array[8]))"
    )
    assert waits[:5] == [None] * 5
    assert waits[5:] == pytest.approx([0.2] * 3, abs=0.01)
    header = own_api.key("companies", rate=5, client="fast")
    own_api.rows("update ops.api_allowance set arrival = now() + interval '30 seconds' where client = 'fast'")
    refused = own_api.http.get("/v1/usage", headers=header)
    assert (refused.status_code, int(refused.headers["retry-after"]) in range(2, 31)) == (429, True)


def test_every_request_is_a_row_before_it_is_answered_and_the_chain_has_their_hash(own_api: Api) -> None:
    for path in (f"/v1/companies/nip/{own_api.legal_person.nip}", "/v1/usage", "/v1/nothing", "/v1/usage?x=1"):
        own_api.http.get(path, headers=own_api.companies)
        ((last,),) = own_api.rows("select count(*) from ops.api_request where client = 'companies'")
        assert last > 0
    own_api.http.get("/v1/usage")
    found = own_api.rows("select client, endpoint, status from ops.api_request order by number")
    assert found == [
        ("companies", "company_by_nip", 200), ("companies", "usage", 200), ("companies", "none", 404),
        ("companies", "usage", 400), ("nobody", "none", 401),
    ]  # fmt: skip
    own_api.rows("select ops.chain_api_requests()")
    assert own_api.rows("select * from ops.altered_api_requests()") == []
    chained = own_api.rows("select sum((payload ->> 'requests')::int) from audit.event where action = 'api.requests'")
    assert chained == [(5,)]
    runner = CliRunner(env={"ONEFOLD_WAREHOUSE_URL": as_role(own_api.url, "onefold_auditor")})
    checked = runner.invoke(requests_command, [])
    assert (checked.exit_code, checked.output.split()[0]) == (0, "5")
    own_api.rows("update ops.api_request set client = 'somebody' where status = 404 returning 1")
    assert "not what the audit chain says" in str(runner.invoke(requests_command, []).exception)
    assert len(own_api.rows("select * from ops.altered_api_requests()")) == 1


def test_what_cannot_be_recorded_is_not_answered_and_is_an_error_in_the_metrics(own_api: Api) -> None:
    own_api.rows("revoke insert on ops.api_request from onefold_definer")
    (gate,) = own_api.app.user_middleware
    counts: AnswerCounts = gate.kwargs["counts"]
    assert sum(counts.took) == 0
    answer = own_api.http.get(f"/v1/companies/nip/{own_api.legal_person.nip}", headers=own_api.all)
    assert (answer.status_code, answer.json()["type"]) == (503, "/docs#warehouse-down")
    assert (dict(counts.by_class), sum(counts.took)) == ({"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 1}, 1)
    assert counts.seconds > 0


def test_who_knocks_without_a_key_is_refused_however_often_and_does_not_fill_the_disk(own_api: Api) -> None:
    recorded = "select count(*) from ops.api_request where client = 'nobody'"
    assert own_api.http.get("/v1/usage").status_code == 401
    assert own_api.rows(recorded) == [(1,)]
    own_api.rows("update ops.api_allowance set arrival = now() + interval '1 hour' where client = 'nobody'")
    assert [own_api.http.get("/v1/usage").status_code for _ in range(20)] == [401] * 20
    assert own_api.rows(recorded) == [(1,)]
    assert own_api.http.get("/v1/usage", headers=own_api.companies).status_code == 200
