"""A customer that somebody makes in the CRM is in the other systems soon, by the real scheduler alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from onefold.catalog.target_reader import read_targets
from onefold.platform.postgres import Postgres
from tests.scheduler.demo import CONFORM, WRITE_BACKS, Demo
from tests.scheduler.installation import Installation, wait_for

pytestmark = pytest.mark.scheduler

CRM = "sync__salesforce"
LONGEST = timedelta(minutes=2)
"""Where the first demo took longer than that, the machine is under load, and as long as the demo is allowed."""
_WRITTEN = """
select o.target, o.target_key as key, o.ended_at, o.golden_id::text from ops.outbox as o
    join conformed.customer_crosswalk as x on x.customer_id = o.golden_id
where x.system = %s and x.stream = %s and x.key = %s and o.state = 'confirmed' and o.change = 'create'
"""
_CROSSWALK = "select system, key from conformed.customer_crosswalk where customer_id = %s order by system"


@pytest.fixture
def writing(conforming: Installation) -> Iterator[Installation]:
    """The installation, in which publishes are written out as well; what other tests have changed is not: of so many
    records a plan waits for an approval."""
    conforming.comes_to_rest(CONFORM)
    with psycopg.connect(Postgres(conforming.home, conforming.pg_port).url("warehouse")) as owner:
        owner.execute("update ops.outbox set state = 'superseded', ended_at = now() where state = 'intended'")
    for dag_id in (CRM, *WRITE_BACKS):
        conforming.api().unpause(dag_id)
    conforming.api().read_again(CRM)  # a test before may have paused it: what watches for it begins only then
    for dag_id in WRITE_BACKS:
        conforming.comes_to_rest(dag_id)
    yield conforming
    for dag_id in WRITE_BACKS:
        conforming.api().pause(dag_id)


def in_erp(here: Installation) -> list[tuple[object, ...]]:
    """The customers that the ERP's own database has got from us."""
    with psycopg.connect(Postgres(here.home, here.pg_port).url("erp")) as connection:
        return connection.execute(
            "select id_klienta::text, nip, nazwa, data_modyfikacji from klienci where onefold_ref is not null"
            " order by id_klienta"
        ).fetchall()


def in_sap(here: Installation) -> dict[str, dict[str, object]]:
    """The business partners that were written into SAP, by their numbers: each line of its file is one write."""
    lines = (here.home / "sandbox" / "written.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["object"] == "sap.A_BusinessPartner"]
    assert len({row["key"] for row in rows}) == len(rows), "a partner was written twice"
    return {row["key"]: row["fields"] for row in rows}


def test_a_customer_made_in_the_crm_is_in_erp_and_sap_within_two_minutes_and_its_echo_writes_nothing(
    first_demo: Demo, writing: Installation
) -> None:
    here, longest = writing, max(LONGEST, timedelta(seconds=first_demo.seconds))
    made = here.sandbox("POST", "customer")
    source = (made["system"], made["stream"], made["key"])
    written = wait_for(
        lambda: rows if len(rows := here.rows(_WRITTEN, *source)) == len(read_targets()) else None, "both write-backs"
    )
    at = datetime.fromisoformat(str(made["at"]))
    took = {row["target"]: row["ended_at"] - at for row in written}
    assert max(took.values()) < longest, took
    numbers = {str(row["target"]): str(row["key"]) for row in written}
    (golden_id,) = {row["golden_id"] for row in written}
    (golden,) = here.rows("select * from conformed.customer where customer_id = %s", golden_id)
    customers = [row for row in in_erp(here) if row[1] == golden["tax_id_pl"]]
    assert [row[:3] for row in customers] == [(numbers["erp"], golden["tax_id_pl"], golden["legal_name"])]
    partner = in_sap(here)[numbers["sap"]]
    assert partner["OrganizationBPName1"] == golden["legal_name"]

    loads = [load for system in ("erp", "sap") for load in json.loads(here.succeed("sync", system, "--json"))]
    brought = [load["load_id"] for load in loads if load["stream"] in ("klient", "business_partner")]
    wait_for(lambda: all(map(here.has_conformed, brought)), "conform of what the syncs brought")
    crosswalk = {str(row["system"]): str(row["key"]) for row in here.rows(_CROSSWALK, golden_id)}
    assert crosswalk == {**numbers, str(made["system"]): str(made["key"])}
    (intents,) = here.rows("select count(*) as count from ops.outbox where golden_id = %s", golden_id)
    assert intents["count"] == len(written), "the echo is a change of nothing"
    for dag_id in WRITE_BACKS:
        here.comes_to_rest(dag_id)
    # What other tests have changed in the CRM may be written meanwhile; of this customer nothing is.
    assert [row for row in in_erp(here) if row[1] == golden["tax_id_pl"]] == customers
    assert in_sap(here)[numbers["sap"]] == partner
