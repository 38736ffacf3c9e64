"""A replay through the real scheduler: a row that a fixed suite takes is published, and conform takes it in."""

from __future__ import annotations

import json

import pytest

from onefold.errors import Fatal
from onefold.platform.people import first_of
from tests.scheduler.installation import PATIENCE, Installation, wait_for

pytestmark = pytest.mark.scheduler

AS_AN_OLDER_SUITE_REFUSED_IT = """
    with gone as (delete from staging.salesforce__account where _key = %s returning *)
    insert into ops.quarantine
        (load_id, system, stream, _key, _hash, payload, _cursor, _extracted_at, suite, expectation, reason)
    select _load_id, 'salesforce', 'account', _key, _hash, _payload, _cursor, _extracted_at,
           'salesforce__account', 'expect_column_values_to_not_be_null(fax)', 'fax: to not be null'
    from gone order by _load_id desc limit 1
    returning quarantine_id
"""
"""The suites in expectations/ take the row: what is there now is the fixed one."""
OPEN = (
    "select count(*) as n from ops.quarantine where system = 'salesforce' and state = 'open'"
    " and (payload is not null or attribute is not null) and not key_conflict"
)


def test_a_replay_publishes_what_the_fixed_suite_takes_accounts_for_every_row_and_starts_conform(
    conforming: Installation,
) -> None:
    here = conforming
    (row,) = here.rows(
        "select _key as key, _payload from staging.salesforce__account__current where not _deleted limit 1"
    )
    assert len(here.rows(AS_AN_OLDER_SUITE_REFUSED_IT, row["key"])) == 1
    (waiting,) = here.rows(OPEN)
    plan = json.loads(here.succeed("replay", "--system", "salesforce", "--dry-run", "--json"))
    assert sum(group["rows"] for group in plan if not group["why_not"]) == waiting["n"] > 1
    assert here.rows("select from ops.replay") == []

    said = here.run("replay", "--system", "salesforce", "--reason", "the fax may be missing", "--json")
    assert said.code == 0, said.errors
    account = json.loads(said.output)
    assert account["selected"] == waiting["n"] == account["published"] + account["superseded"] + account["refused"]
    assert account["published"] == 1
    assert [s["stream"] for s in account["streams"] if s["published"]] == ["account"]
    assert "replay" in said.errors and "prove" in said.errors  # progress

    (back,) = here.rows("select * from staging.salesforce__account__current where _key = %s", row["key"])
    assert back["_payload"] == row["_payload"]
    assert here.rows(OPEN) == [{"n": account["refused"]}]
    (kept,) = here.rows("select actor, selected, published, superseded, refused, ended_at from ops.replay")
    assert f"by:{first_of('engineer').name}" in kept["actor"] and kept["ended_at"]
    assert [kept[what] for what in ("selected", "published", "superseded", "refused")] == [
        account[what] for what in ("selected", "published", "superseded", "refused")
    ]
    here.succeed("audit", "verify")

    again = here.run("replay", "--system", "salesforce", "--expectation", "fax", "--reason", "once more")
    assert again.code == 1 and "No open row in quarantine matches" in again.errors
    wait_for(lambda: here.has_conformed(back["_load_id"]), "conform has taken in the replay's load")


def test_a_form_that_is_wrong_is_refused_by_airflow_or_by_its_first_task(here: Installation) -> None:
    api = here.api()
    with pytest.raises(Fatal, match="mapping_version"):
        api.trigger_dag("replay", {"reason": "why not", "mapping_version": 0})
    with pytest.raises(Fatal, match="reason"):
        api.trigger_dag("replay", {"reason": ""})
    asked = {"reason": "why not", "quarantined_from": "2026-02-01T00:00:00Z", "quarantined_to": "2026-01-01T00:00:00Z"}
    run = api.wait(api.trigger_dag("replay", asked), PATIENCE)
    tasks = {task.task_id: task for task in api.task_instances(run)}
    assert (run.state, tasks["choose"].state, tasks["choose"].try_number) == ("failed", "failed", 1)
    assert tasks["prove"].state == "upstream_failed"
    assert "not before its end" in api.log(run, tasks["choose"])
