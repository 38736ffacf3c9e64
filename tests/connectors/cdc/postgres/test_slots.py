"""A slot is known from before it is made until it is dropped, and one that no stream reads is a problem."""

from __future__ import annotations

import json
import os
import signal

import psycopg
import pytest
from click.testing import CliRunner

from onefold.catalog import reader as catalog
from onefold.catalog.system import System
from onefold.commands import endpoints
from onefold.commands.slots import slots as command
from onefold.connectors.cdc.postgres import reader
from onefold.errors import Fatal
from onefold.insight.problems import problems
from onefold.load.source_slots import drop_unused, unused_slots
from onefold.platform import warehouse as platform_warehouse
from onefold.reconcile.unused_slot_alert import check_unused_slots
from onefold.warehouse.connection import connect
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_loads import at_source
from tests.connectors.cdc.postgres.test_refusals import SLOT, slots
from tests.connectors.killed_load import killed

RENAMED = orders(request={"table": "orders", "slot": "another"})


def unused(log: Log, system: System | None) -> list[str]:
    """The slots that no stream reads when this system is the catalogue."""
    with connect(log.warehouse_url) as connection:
        return [each.slot for each in unused_slots(connection, {"test_log": system} if system else {})]


def drop(log: Log, system: System | None, slot: str = SLOT) -> list[str]:
    systems = {"test_log": system} if system else {}
    with connect(log.warehouse_url, autocommit=True) as connection:
        return list(drop_unused(connection, systems, slot, lambda connection: log.endpoint))


def alerts(log: Log, systems: dict[str, System]) -> list[tuple]:
    with connect(log.warehouse_url, autocommit=True) as connection:
        check_unused_slots(connection, "os:tester", systems)
    return log.query("select subject from ops.alert where kind = 'unused_slot' and resolved_at is null")


def test_a_slot_whose_stream_is_gone_is_shown_until_it_is_dropped_with_its_publication(log: Log):
    log.run("insert into orders values (1, 'One', null, 1)")
    log.load(orders())
    assert (unused(log, orders()), unused(log, None), unused(log, RENAMED)) == ([], [SLOT], [SLOT])
    assert alerts(log, {}) == [("test_log.order",)]
    with connect(log.warehouse_url) as connection:
        (problem,) = problems([], None, unused_slots(connection, {}))
    assert f"bin/onefold slots --drop {SLOT}" in problem.text
    with pytest.raises(Fatal, match=r"test_log.order reads the replication slot"):
        drop(log, orders())
    assert drop(log, None) == [f"{SLOT} is dropped at its source."]
    assert slots(log) == 0
    assert log.ask("select count(*)::int from pg_publication") == [(0,)]
    assert (unused(log, None), alerts(log, {})) == ([], [])
    audited = log.query("select subject, payload ->> 'slot' from audit.event where action = 'source_slot.drop'")
    assert audited == [("test_log.order", SLOT)]
    log.run("delete from orders", "insert into orders values (2, 'Two', null, 1)")
    log.load(orders(deletes={"max_share": 1}))
    assert log.published() == at_source(log), "a stream that comes back is read from scratch"


def test_a_stream_that_reads_another_slot_leaves_the_first_to_be_dropped(log: Log):
    log.load(orders())
    log.load(RENAMED, anew=True)
    assert slots(log) == 2
    assert drop(log, RENAMED) == [f"{SLOT} is dropped at its source."]
    log.run("insert into orders values (1, 'One', null, 1)")
    assert log.load(RENAMED).rows_new == 1


def test_a_publication_of_another_login_is_left_to_its_owner(log: Log):
    log.run(f"create publication {SLOT} for table orders")
    log.load(orders())
    dropped, left = drop(log, None)
    assert (slots(log), dropped) == (0, f"{SLOT} is dropped at its source.")
    log.run(left.partition("have that run: ")[2])


def test_a_load_that_died_as_soon_as_it_had_made_its_slot_is_known_and_goes_on(
    log: Log, monkeypatch: pytest.MonkeyPatch
):
    make = reader.create_slot

    def die(*given: object) -> None:
        make(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    log.run("insert into orders values (1, 'One', null, 1)")
    job = log.job(orders())
    with monkeypatch.context() as patch:
        patch.setattr(reader, "create_slot", die)
        assert killed(job, "slot made", 0)
    assert (slots(log), unused(log, None)) == (1, [SLOT])
    log.do(job)
    assert log.published() == at_source(log)


def test_a_slot_that_is_read_is_not_dropped(log: Log):
    log.load(orders())
    arguments = psycopg.conninfo.conninfo_to_dict(log.server.url(log.name))
    with psycopg.connect(**arguments, replication="database", autocommit=True) as other:
        start = f"START_REPLICATION SLOT {SLOT} LOGICAL 0/0 (proto_version '1', publication_names '{SLOT}')"
        other.pgconn.exec_(start.encode())
        with pytest.raises(Exception, match="is being read by the server's process"):
            drop(log, None)
        other.close()
    assert slots(log) == 1


def test_the_command_lists_the_slots_and_drops_what_no_stream_reads(log: Log, monkeypatch: pytest.MonkeyPatch):
    log.load(orders())
    monkeypatch.setattr(platform_warehouse, "connect_as", lambda role, **how: connect(log.warehouse_url, **how))
    monkeypatch.setattr(catalog, "read_systems", dict)
    monkeypatch.setattr(endpoints, "endpoint_of", lambda connection: log.endpoint)
    (shown,) = json.loads(CliRunner().invoke(command, ["--json"], catch_exceptions=False).output)
    assert (shown["slot"], shown["stream"], shown["unused"]) == (SLOT, "order", True)
    assert f"bin/onefold slots --drop {SLOT}" in CliRunner().invoke(command, [], catch_exceptions=False).output
    assert "dropped at its source" in CliRunner().invoke(command, ["--drop", SLOT], catch_exceptions=False).output
    assert slots(log) == 0
    assert CliRunner().invoke(command, [], catch_exceptions=False).output == "There is none.\n"
    with pytest.raises(Fatal, match="has made no replication slot"):
        CliRunner().invoke(command, ["--forget", SLOT], catch_exceptions=False)
