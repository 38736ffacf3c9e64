"""What goes out is shown: how targets stand, plans row by row, what did not get there, why, and its replay."""

from __future__ import annotations

import psycopg
import pytest
from lxml import html

from onefold.catalog.reader import Catalog
from onefold.console.pages import overview, widgets, write_back, write_back_replay
from tests.approvals import answer
from tests.conform.world import PARTNER, record
from tests.console.airflow import RUN, Airflow
from tests.console.conftest import SAME_SITE, Ask
from tests.console.figures import shown
from tests.write_back.conftest import outward
from tests.write_back.test_after_rollback import firm, rolled_back, written
from tests.write_back.world import Outward, a_run, system, target

__all__ = ["outward"]
EURO = {"objects.partner.characters": {"encoding": "cp1250", "replacements": {"‘": "'"}}}


@pytest.fixture
def erp(outward: Outward, console: Ask, monkeypatch: pytest.MonkeyPatch) -> Outward:
    """The ERP as the console's catalogue has it. One record is to be changed there; one it cannot hold."""
    for module in (overview, widgets, write_back, write_back_replay):
        monkeypatch.setattr(module, "read_catalog", lambda: Catalog({"erp": system("erp")}, {"partner": PARTNER}))
        monkeypatch.setattr(module, "read_targets", lambda catalog: {"erp": outward.target})
    outward.target = target(approval="always", **EURO)
    outward.sql("insert into klienci (nazwa, nip, email) values ('Old', '77', 'old@there.example')")
    outward.conform(
        record("crm", "a", tax_id_pl="77", legal_name="Firm ‘77 <b>", email="a@person.example"),
        record("crm", "b", tax_id_pl="78", legal_name="龍"),
    )
    return outward


def planned(erp: Outward, by: str = "airflow:write_back__erp/r") -> int:
    run = a_run()
    plan = erp.plan(type(run)(run.dag_id, run.run_id, by))
    assert plan is not None
    return plan.plan_id


def test_a_target_is_shown_with_its_counts_and_the_plan_that_waits_leads_to_its_decision(
    erp: Outward, console: Ask
) -> None:
    assert shown(console("engineer").get("/write-back").text, "//tr[@data-target='erp']") == {
        "open": "2", "ambiguous": "0", "refused": "0", "plans": "0", "state": ""
    }  # fmt: skip
    number = planned(erp)
    page = console("approver").get("/write-back").text
    assert shown(page, "//tr[@data-target='erp']")["plans"] == "1"
    assert shown(page, f"//tr[@data-plan='{number}']") == {
        "state": "waits for a decision",
        "counts": "1 update",
    }
    (decide,) = html.fromstring(page).xpath(f"//tr[@data-plan='{number}']//a[text()='Decide']/@href")
    assert decide.startswith("/dags/write_back__erp/runs/") and decide.endswith("/tasks/approve/required_actions")
    page = console("approver").get("/overview").text
    assert "1 plan to decide" in html.fromstring(page).xpath("//p[@data-waits='erp']")[0].text_content()
    assert "Write-backs that wait for a decision" in console("engineer").get("/widgets/home").text
    run = erp.world.connection.execute("select run_id from ops.write_back_plan").fetchone()
    for tab in ("dag?dag=write_back__erp", f"dag_run?dag=write_back__erp&run={run[0]}"):
        page = console("engineer").get(f"/widgets/{tab}").text
        assert shown(page, f"//tr[@data-plan='{number}']")["state"] == "waits for a decision"
        assert {each.get("target") for each in html.fromstring(page).xpath("//main//a")} == {"_top"}
    assert console("analyst").get("/widgets/dag?dag=write_back__erp").status_code == 403


def test_a_plan_is_shown_field_by_field_with_replaced_characters_and_personal_values_to_nobody(
    erp: Outward, console: Ask
) -> None:
    number = planned(erp)
    page = console("engineer").get(f"/write-back/plans/{number}").text
    fields = {each: shown(page, f"//tr[@data-field='{each}']") for each in ("nazwa", "email")}
    assert (fields["nazwa"]["before"], fields["nazwa"]["after"]) == ("personal", "personal")
    assert fields["nazwa"]["replaced"] == "‘ → '" and fields["email"]["after"] == "personal"
    assert not [each for each in ("@person.example", "@there.example", "Firm", "Old") if each in page]
    page = console("engineer").get(f"/write-back/plans/{number - 1}").text  # of what waits for nobody
    (refused,) = (each for each in html.fromstring(page).xpath("//tbody[@data-row]") if "refuse" in each.text_content())
    assert "龍" in refused.text_content() and "cp1250" in refused.text_content()
    assert console("engineer").get("/write-back/plans/99").status_code == 404


def test_who_may_sees_a_plans_values_on_demand_and_that_is_in_the_chain_before(
    erp: Outward, console: Ask, warehouse_url: str
) -> None:
    address = f"/write-back/plans/{planned(erp)}"
    client = console("approver", reads_people=True)
    assert html.fromstring(client.get(address).text).xpath("//button[@data-people]")
    page = client.post(address, headers=SAME_SITE).text
    name = shown(page, "//tr[@data-field='nazwa']")
    assert (name["before"], name["after"], name["replaced"]) == ("Old", "Firm '77 <b>", "‘ → '")
    assert shown(page, "//tr[@data-field='email']")["after"] == "a@person.example"
    assert "<b>" not in page.split("<main")[1]
    with psycopg.connect(warehouse_url) as owner:
        said = owner.execute("select payload from audit.event where action = 'read.begin'").fetchall()
    ((payload,),) = said
    assert isinstance(payload, dict) and payload["write_back_plan"] == int(address.rsplit("/", 1)[1])
    assert payload["personal_columns"] == ["ops.write_back_plan_row.after", "ops.write_back_plan_row.before"]
    assert console("approver").post(address, headers=SAME_SITE).status_code == 403
    assert client.post(address).status_code == 403, "another site made the browser send this"


def test_what_did_not_go_through_says_why_and_what_to_do_and_an_auditor_sees_no_key(
    erp: Outward, console: Ask, warehouse_url: str
) -> None:
    run, number = a_run(), planned(erp)
    answer(warehouse_url, f"writeback:{number}", "ewa", approved=True)
    erp.write_back().execute_ready(run)
    with psycopg.connect(warehouse_url) as owner:
        owner.execute(
            "update ops.outbox set state = 'ambiguous', unknown_since = '2026-01-01Z' where state = 'confirmed'"
        )
    page = console("engineer").get("/write-back?target=erp").text
    rows = {shown(page, f"//tr[@data-intent='{each}']")["state"]: shown(page, f"//tr[@data-intent='{each}']")
            for each in html.fromstring(page).xpath("//tr/@data-intent")}  # fmt: skip
    assert "replace it in characters" in rows["refused"]["reason"]
    assert "catalog/targets/erp.yaml" in rows["refused"]["todo"]
    todo = rows["ambiguous"]["todo"]
    assert todo.startswith("Nothing to do") and todo.endswith("From 2026-01-01 00:00."), "after PT5S and PT0S"
    waits = html.fromstring(console("engineer").get("/quarantine").text).xpath("//li[@data-out='erp']")[0]
    assert "1 refused, 1 of which nobody knows yet" in waits.text_content()
    assert "Key there" in page and "Key there" not in console("auditor").get("/write-back").text
    assert console("analyst").get("/write-back").status_code == 403
    assert console("engineer").get("/write-back?target=none").status_code == 400


def test_a_replay_is_started_in_the_viewers_name_and_its_page_leads_to_the_plan(
    erp: Outward, console: Ask, airflow: Airflow, warehouse_url: str
) -> None:
    number = planned(erp)
    answer(warehouse_url, f"writeback:{number}", "ewa", approved=True)
    erp.write_back().execute_ready(a_run())
    ((intent,),) = erp.world.connection.execute("select intent_id from ops.outbox where state = 'refused'").fetchall()
    client, form = console("engineer"), f"/write-back/replay?target=erp&intent={intent}"
    assert shown(client.get(form).text) == {"count": "1"}
    given = {"target": "erp", "intent": str(intent), "reason": "the table has it now"}
    assert client.post("/write-back/replay", data={**given, "reason": "x"}, headers=SAME_SITE).status_code == 400
    assert client.post("/write-back/replay", data=given).status_code == 403
    assert console("approver").post("/write-back/replay", data=given, headers=SAME_SITE).status_code == 403
    assert airflow.asked == []
    started = client.post("/write-back/replay", data=given, headers=SAME_SITE)
    assert airflow.asked == [
        ("ewa.nowa", "a token"),
        ("write_back__erp", {"replay": str(intent), "reason": "the table has it now"}),
    ]
    place = started.headers["location"]
    assert "its plan is being worked out" in client.get(place).text
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("update ops.write_back_plan set run_id = %s", (RUN,))
    assert client.get(place).headers["location"] == f"/write-back/plans/{number}"


def test_a_rollbacks_page_says_what_was_written_out_and_what_the_counter_plan_makes_of_it(
    outward: Outward, console: Ask
) -> None:
    written(outward, firm("1", "Former"))
    bad = written(outward, firm("1", "Wrong"), firm("2", "Made"))
    before = shown(console("engineer").get(f"/operations/rollback/plan?load={bad}").text, "//tr[@data-written]")
    assert before["records"] == "1" and before["left"] == "1"
    rolled_back(outward, bad, firm("1", "Former"), gone=("2",))
    plan, run = outward.plan(), a_run()
    page = console("engineer").get("/operations/rollback/1").text
    figures = {each: shown(page, f"//tr[@data-written='erp partner {each}']")["open"] for each in ("create", "update")}
    assert figures == {"create": "1", "update": "1"}
    answer(outward.world.url, plan.subject, "ewa", approved=True)
    outward.write_back().execute_ready(run)
    page = console("engineer").get("/operations/rollback/1").text
    assert shown(page, "//tr[@data-written='erp partner create']")["refused"] == "1"
    assert shown(page, "//tr[@data-written='erp partner update']")["taken_back"] == "1"
