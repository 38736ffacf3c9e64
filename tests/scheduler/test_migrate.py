"""A migration through the real scheduler: a dry run out of sight, approved by another person, published."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser

from onefold.platform.people import first_of
from tests.scheduler.installation import Installation
from tests.scheduler.person import approved
from tests.scheduler.test_rollback import refused

pytestmark = pytest.mark.scheduler


def test_a_migration_has_a_dry_run_is_approved_by_another_person_and_published(
    browser: Browser, here: Installation
) -> None:
    here.succeed("sync", "salesforce")  # what other tests have changed in the source is not the migration's
    orders = "select count(*) from staging.salesforce__order"
    (before,) = here.rows(orders)
    arguments = ("salesforce", "order", "--from", "2024-01-01", "--to", "2026-01-01", "--chunk-days", "365")
    said = json.loads(here.succeed("migrate", *arguments, "--reason", "a test", "--json"))
    assert said["chunks"] == 3
    run = here.api().dag_run("migrate", said["run_id"])

    refused(here, run, "engineer", "must be approved by somebody else")
    (migration,) = here.rows("select state, report from ops.migration")
    assert migration["state"] == "dry_run"
    counted = migration["report"]["streams"]["order"]["counted"]
    assert counted["before"] == counted["after"] > 0
    assert counted["read"] <= counted["after"] <= counted["read"] + counted["unplaced"]
    assert (counted["chunks"], counted["of"], counted["why_not"]) == (3, 3, None)
    assert {each["entity"] for each in migration["report"]["entities"]} == {"order"}

    assert approved(browser, here, run).state == "success"
    (migration,) = here.rows("select state, approver, actor from ops.migration")
    assert (migration["state"], migration["approver"]) == ("published", first_of("approver").name)
    published = here.rows("select state from ops.load where run_id = %s and state <> 'dry_run'", run.run_id)
    assert [load["state"] for load in published] == ["published"] * 3
    assert here.rows(orders) == [before]  # the nightly sync had brought the same
