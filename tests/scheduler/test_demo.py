"""The demo through the real scheduler: what comes out, and that a second one finds nothing new."""

from __future__ import annotations

import json
import re

import pytest
from psycopg import sql

from onefold.catalog.reader import read_catalog
from onefold.commands.demo import AIMS
from onefold.conform.provenance import trace_provenance
from onefold.conform.resolution_quality import pairwise_quality
from onefold.platform.postgres import Postgres
from onefold.platform.warehouse import WAREHOUSE_DATABASE
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable
from tests.scheduler.demo import WRITE_BACKS, Demo, running
from tests.scheduler.installation import Installation, wait_for
from tests.scheduler.tables import difference, tables

pytestmark = pytest.mark.scheduler

TELLING = {
    name: system.protocol
    for name, system in read_catalog().systems.items()
    if system.start == "on_change" and not system.look
}
"""The protocols of the systems that tell of their changes, by name."""
STREAMS = [(name, stream) for name, system in read_catalog().systems.items() for stream in system.streams]
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def figures(output: str) -> dict[tuple[str, str], list[str]]:
    """The cells of the report's table by (system, stream): read, new, changed, deleted, quarantined, gate, seconds."""
    lines = [re.sub(r"\([0-9,]+ in conflict\)", "", line).replace(",", "").split() for line in output.splitlines()]
    return {(line[0], line[1]): line[2:] for line in lines if tuple(line[:2]) in STREAMS}


def test_the_report_shows_every_stream_and_what_became_of_its_rows(first_demo: Demo) -> None:
    shown = figures(first_demo.output)
    assert sorted(shown) == sorted(STREAMS)
    truth = first_demo.installation.sandbox("GET", "truth")["records"]
    for (system, stream), (read, new, _changed, _deleted, quarantined, gate, _seconds) in shown.items():
        broken = sum(r["broken"] is not None for r in truth if (r["system"], r["stream"]) == (system, stream))
        assert int(new) > 0 and int(read) >= int(new) + int(quarantined), f"{system}.{stream}"
        assert min(1, broken) <= int(quarantined) <= broken, f"{system}.{stream}"
        assert gate == "passed"
    assert "conformed.customer:" in first_demo.output and "precision" in first_demo.output
    assert f"http://127.0.0.1:{first_demo.installation.ui_port}" in first_demo.output


def test_a_change_at_each_source_that_tells_of_it_is_in_staging_once_and_its_seconds_are_shown(
    first_demo: Demo,
) -> None:
    shown = re.findall(r"^  \S.*\S  +(\w+) +([0-9.]+) s$", first_demo.output, re.MULTILINE)
    assert sorted(protocol for protocol, _ in shown) == ["cdc", "redis_stream", "webhook", "webhook"]
    assert all(0 < float(seconds) < 120 for _, seconds in shown)
    here = running(first_demo.installation)
    for system in TELLING:  # one thing happened before the first sync and one at the end
        (load,) = here.rows(
            "select sum(rows_new) as new, sum(rows_changed) as changed from ops.load where system = %s"
            " and load_id > (select min(load_id) from ops.load where system = %s)",
            system,
            system,
        )
        assert load["new"] + load["changed"] == 1, system


def test_a_customer_made_in_the_crm_is_shown_with_its_numbers_in_the_other_systems_and_the_seconds_until_then(
    first_demo: Demo,
) -> None:
    shown = dict(re.findall(r"^  \S.* as (\w+) +([0-9.]+) s$", first_demo.output, re.MULTILINE))
    assert len(shown) == len(WRITE_BACKS) and all(0 < float(seconds) < 120 for seconds in shown.values())
    (joined,) = re.findall(r"^The next sync of each joins .*: (.*)$", first_demo.output, re.MULTILINE)
    numbers = dict(each.split() for each in joined.split(", "))
    assert sorted(numbers) == ["erp.klient", "salesforce.account", "sap.business_partner"]
    assert shown.keys() == {numbers["erp.klient"], numbers["sap.business_partner"]}


def test_the_demo_leaves_the_daily_dags_switched_on_too(first_demo: Demo) -> None:
    assert first_demo.switched_on == {"reconcile", "retention", "conform", *WRITE_BACKS}


def test_no_secret_is_in_what_the_demo_printed_or_in_a_log(first_demo: Demo) -> None:
    home = first_demo.installation.home
    stored = json.loads((home / "secrets.json").read_text())
    secrets = [*stored.pop("database").values(), *stored.pop("ui").values(), *stored.values()]
    assert len(secrets) > 10 and all(len(secret) > 10 for secret in secrets)
    printed = {home / "what it printed": first_demo.output}
    logs = [path for folder in ("logs", "run") for path in (home / folder).rglob("*") if path.is_file()]
    assert len(logs) > 20
    for path, text in {**printed, **{path: path.read_text(errors="replace") for path in logs}}.items():
        assert not [secret for secret in secrets if secret in text], f"{path} has a secret"


def test_the_golden_records_agree_with_the_truth(here: Installation) -> None:
    csv = here.succeed("sql", "select count(*) from conformed.customer", "--csv")
    golden = int(csv.split()[1])
    truth = [
        (record["system"], record["stream"], record["key"], str(record["company_id"]))
        for record in here.sandbox("GET", "truth")["records"]
        if record["company_id"] is not None and not record["broken"] and not record["deleted"]
    ]
    with connect(Postgres(here.home, here.pg_port).url(WAREHOUSE_DATABASE)) as connection:
        quality = pairwise_quality(connection, truth)
    assert quality.precision >= AIMS["precision"] and quality.recall >= AIMS["recall"], quality
    assert quality.companies <= golden <= quality.companies * 1.03


def test_every_attribute_of_every_golden_record_traces_to_a_published_load(here: Installation) -> None:
    customer = read_catalog().entities["customer"]
    published = {
        (row["load_id"], row["system"], row["stream"])
        for row in here.rows("select load_id, system, stream from ops.load where state = 'published'")
    }
    goldens = here.rows("select to_jsonb(c) as golden from conformed.customer c")
    with connect(Postgres(here.home, here.pg_port).url(WAREHOUSE_DATABASE)) as connection:
        for golden in (row["golden"] for row in goldens):
            origins = {
                origin.attribute: origin for origin in trace_provenance(connection, customer, golden["customer_id"])
            }
            filled = {name for name in customer.attributes if golden[name] is not None}
            assert filled <= origins.keys()
            for origin in origins.values():
                assert (origin.load_id, origin.system, origin.stream) in published
                staging = StagingTable(origin.system, origin.stream).versions
                version = sql.SQL("select from {} where _key = %s and _load_id = %s").format(staging)
                found = connection.execute(version, (origin.key, origin.load_id)).fetchone()
                assert found is not None, origin


def test_the_audit_chain_of_the_demo_is_sound(here: Installation) -> None:
    verdict = json.loads(here.succeed("audit", "verify", "--json"))
    assert verdict["ok"] is True
    actions = {row["action"] for row in here.rows("select distinct action from audit.event")}
    assert {"conform.publish"} <= actions and any("publish" in action and "conform" not in action for action in actions)


def test_every_step_of_every_load_has_its_lineage(here: Installation) -> None:
    told = here.rows(
        "select load.load_id, array_agg(event_type order by event_id) as events,"
        " (select count(*) from ops.load where state = 'published') as published from ops.load"
        " join lineage.dataset_edge as edge using (load_id) join lineage.event on event.run_id = edge.run_id"
        " where load.state = 'published' group by load.load_id"
    )
    assert len(told) == told[0]["published"] >= len(STREAMS)
    assert all(load["events"] == ["START", "RUNNING", "RUNNING", "COMPLETE"] for load in told), told
    (edge,) = here.rows(
        "select count(distinct output_column) as columns from lineage.column_edge"
        " where output_dataset like '%%conformed.customer'"
    )
    assert edge["columns"] >= len(read_catalog().entities["customer"].attributes) - 1


def test_no_log_holds_personal_values(here: Installation) -> None:
    values = here.rows(
        "select tax_id_pl as v from conformed.customer union select email from conformed.customer"
        " union select phone from conformed.customer union select payload ->> 'NIP__c' from ops.quarantine"
        " union select _payload ->> 'NIP__c' from staging.salesforce__account"
    )
    personal = {row["v"] for row in values if row["v"] and len(row["v"]) > 6}
    assert len(personal) > 200
    found = []
    for path in sorted((here.home / "logs").rglob("*.log")):
        text = path.read_text(errors="replace")
        found += [f"{path.name}: {len(value)} characters" for value in personal if value in text]
        found += [f"{path.name}: an address" for _ in EMAIL.findall(text)]
    assert found == []


def test_a_second_demo_while_one_runs_is_refused(first_demo: Demo) -> None:
    refused = first_demo.meanwhile
    assert (refused.code, refused.output) == (1, "")
    assert re.search(r"onefold demo \(pid \d+\)", refused.errors) and "Wait until it has ended" in refused.errors


@pytest.mark.full_matrix  # that what is loaded again is nothing new, tests/acceptance proves of each kind of stream
def test_a_second_demo_finds_nothing_new(first_demo: Demo) -> None:
    demo = running(first_demo.installation).run("demo")
    assert demo.code == 0, demo.errors
    shown = figures(demo.output)
    assert sorted(shown) == sorted(STREAMS)
    for stream, (_read, new, changed, deleted, quarantined, gate, _seconds) in shown.items():
        if stream[0] in TELLING:  # something has happened there, which may have been loaded just before this sync
            assert int(new) + int(changed) <= 1 and (deleted, quarantined, gate) == ("0", "0", "passed"), stream
            continue
        assert (stream, new, changed, deleted, quarantined, gate) == (stream, "0", "0", "0", "0", "passed")
    assert not difference(tables(first_demo.installation), first_demo.tables)


def test_a_change_in_a_source_arrives(conforming: Installation) -> None:
    here = conforming
    (newest,) = here.rows("select max(load_id) as load_id from ops.load")
    here.sandbox("POST", "advance", changes=5, deletions=2, new=3)
    loads = json.loads(here.succeed("sync", "salesforce", "--json"))
    assert sorted(load["stream"] for load in loads) == sorted(read_catalog().systems["salesforce"].streams)
    (account,) = here.rows(  # the schedule may have begun a run meanwhile, which was the first to see the change
        "select load_id, rows_new, rows_changed from ops.load where system = 'salesforce' and stream = 'account'"
        " and load_id > %s and rows_new + rows_changed > 0",
        newest["load_id"],
    )
    assert account["rows_new"] > 0 and account["rows_changed"] > 0
    wait_for(lambda: here.has_conformed(account["load_id"]), "conform of what was loaded")
    (golden,) = here.rows(
        "select count(*) as touched from conformed.customer c where exists (select from jsonb_each(c._provenance) p"
        " where (p.value ->> 'load_id')::bigint = %s)",
        account["load_id"],
    )
    assert golden["touched"] > 0
