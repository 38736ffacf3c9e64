"""A migration through the real scheduler: a dry run out of sight, approved by another person, published."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from onefold.platform.people import first_of
from tests.scheduler.installation import Installation
from tests.scheduler.person import approved, signed_in
from tests.scheduler.test_rollback import refused

pytestmark = pytest.mark.scheduler


def test_a_migration_has_a_dry_run_is_approved_by_another_person_and_published(
    browser: Browser, here: Installation
) -> None:
    here.succeed("sync", "salesforce")  # what other tests have changed in the source is not the migration's
    orders = "select count(*) from staging.salesforce__order"
    (before,) = here.rows(orders)
    with signed_in(browser, here, "engineer") as person:
        person.migrates("salesforce.order", ("2024-01-01T00:00", "2025-12-31T00:00"), 365, "a test")
        (migration,) = here.rows("select run_id, plan, actor from ops.migration")
        assert migration["plan"]["chunks"] == 2
        assert str(migration["actor"]).startswith(f"airflow:by:{first_of('engineer').name}/")
        run = here.api().dag_run("migrate", migration["run_id"])
        person.is_refused_their_own_approval()  # once the page has said that the dry run has ended
        assert person.said == []

    refused(here, run, "engineer", "must be approved by somebody else")
    (migration,) = here.rows("select state, report from ops.migration")
    assert migration["state"] == "dry_run"
    counted = migration["report"]["streams"]["order"]["counted"]
    assert counted["before"] == counted["after"] > 0
    assert counted["read"] <= counted["after"] <= counted["read"] + counted["unplaced"]
    assert (counted["chunks"], counted["of"], counted["why_not"]) == (2, 2, None)
    assert {each["entity"] for each in migration["report"]["entities"]} == {"order"}

    assert approved(browser, here, run).state == "success"
    (migration,) = here.rows("select state, approver, actor from ops.migration")
    assert (migration["state"], migration["approver"]) == ("published", first_of("approver").name)
    published = here.rows("select state from ops.load where run_id = %s and state <> 'dry_run'", run.run_id)
    assert [load["state"] for load in published] == ["published"] * 2
    assert here.rows(orders) == [before]  # the nightly sync had brought the same
