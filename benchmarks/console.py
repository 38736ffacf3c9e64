"""The console's pages beside a long history: 200 streams with 10,000 loads each, a million golden customers, and a
million records that were written out."""

from __future__ import annotations

import os
import pkgutil
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from unittest.mock import patch

import psycopg
from fastapi.testclient import TestClient
from psycopg.conninfo import make_conninfo
from starlette.requests import Request

from benchmarks.measure import PASSWORD, Warehouse, peak_memory, seconds
from benchmarks.table import Row
from onefold.catalog.reader import Catalog, read_catalog
from onefold.catalog.system import System
from onefold.catalog.target import Target
from onefold.conform.search_indexes import ensure_search_indexes
from onefold.console import pages
from onefold.console.app import console_app
from onefold.console.viewer import Viewer
from onefold.console.views import VIEWS
from onefold.settings import CONSOLE_URL

STREAMS = 200
LOADS = 10_000
"""Of each stream, one every ten minutes."""
CUSTOMERS = 1_000_000
"""Golden records of one entity at most: half as many as loads."""
SEARCHES = {
    "a frequent name": "kowalski",
    "a rare name without its letters": "zolw 7f3a",
    "a number": "555-00-123",
    "frequent parts": "nowak 0012",
    "nothing": "no such name",
}
_CUSTOMERS = """
    insert into ops.publish (state, actor, mappings, ended_at) values ('published', 'os:bench', '{}', now());
    insert into ops.published (entity, publish_id, actor) select 'customer', max(publish_id), 'os:bench'
    from ops.publish;
    insert into conformed.customer_provenance select max(publish_id), '{legal_name}', '{}' from ops.publish;
    insert into conformed.customer_version (customer_id, source_of_truth, _systems, _records, _members, _loads,
        _mapping_versions, _winning_members, _hash, _publish_id, legal_name, person_name, tax_id_pl, krs, email, phone,
        street, postal_code, city, country, status)
    select gen_random_uuid(), 'erp', '{erp}', 1, array['erp|klient|' || n], '{1}', '{1}', '{1}', md5(n::text),
        (select max(publish_id) from ops.publish),
        concat_ws(' ', (array['Zakład', 'Piekarnia', 'Firma', 'Hurtownia', 'Budowa'])[1 + n %% 5],
            (array['Kowalski', 'Nowak', 'Wiśniewski', 'Żółw', 'Łuczak', 'Maj', 'Lis'])[1 + n %% 7],
            substr(md5(n::text), 1, 8), (array['Sp. z o.o.', 'S.A.'])[1 + n %% 3]),
        case when n %% 3 = 2 then 'Jan ' || substr(md5(n::text), 9, 8) end, lpad(n::text, 10, '5'),
        case when n %% 3 < 2 then lpad(n::text, 10, '0') end, 'k' || n || '@firma.example',
        '+48' || lpad(n::text, 9, '6'), 'Prosta ' || n %% 100, '00-950', 'Warszawa', 'PL', 'active'
    from generate_series(1, %(customers)s) n;
"""
WRITTEN = 1_000_000
"""Intents of four targets: of each the last tenth is intended, refused or ambiguous; the plan before has it all."""
_OUTBOX = """
    insert into ops.outbox (idempotency_key, target, object, entity, golden_id, publish_id, wanted, reference, digest,
        state, change, target_key, attempts, reason, unknown_since, ended_at)
    select n::text, 'target_' || n %% 4, 'customer', 'customer', gen_random_uuid(), 1, 'write', n::text, '',
        case when n < %(written)s * 0.9 then 'confirmed'
            else (array['intended', 'refused', 'ambiguous'])[1 + n %% 3] end, 'create', n::text, 1,
        case when n >= %(written)s * 0.9 then 'name: it has 50 characters, and the target holds 40' end, now(), now()
    from generate_series(1, %(written)s) n;
    insert into ops.write_back_plan (target, state, catalog, needs_approval, counts, dag_id, run_id, actor)
    select 'target_' || n %% 4, case when n > 9996 then 'planned' else 'executed' end, '', true,
        '{"create": 100, "refuse": 2}', 'write_back__target_' || n %% 4, 'scheduled__' || n, 'airflow:w/r'
    from generate_series(1, 10000) n;
    insert into ops.approval (subject, dag_id, run_id, plan, plan_sha256, content_sha256, decision)
    select 'writeback:' || plan_id, dag_id, run_id, '', '', '', case when state = 'executed' then 'approved' end
    from ops.write_back_plan;
    insert into ops.write_back_plan_row (plan_id, intent_id, object, golden_id, change, before, after, replaced, shown,
        asks, outcome)
    select 10000, intent_id, object, golden_id, case when intent_id %% 2 = 0 then 'create' else 'nothing' end, '{}',
        '{"name": "a", "city": "b"}', '{}', '{"name": [null, "(personal)"], "city": [null, "b"]}', '{}', 'confirmed'
    from ops.outbox;
"""
_TARGETS = {
    f"target_{number}": Target.model_validate(
        {
            "target": f"target_{number}",
            "title": "A target",
            "system": "erp",
            "protocol": "sql",
            "objects": {
                "customer": {
                    "entity": "customer",
                    "object": "customer",
                    "key": "id",
                    "reference": "ref",
                    "fields": {"name": {"attribute": "legal_name"}},
                }
            },
        }
    )
    for number in range(4)
}
MOST_SECONDS = 1.0
MOST_STATEMENTS = 10
_TO_START = (
    ("operations/rollback?system=system_3&stream=stream_3", "loads to roll back"),
    ("operations/migration?system=system_3", "a migration's form"),
    ("quarantine?system=system_1&stream=stream_1", "Quarantine of a stream"),
    ("write-back?target=target_1", "Write-back to a target"),
    ("write-back/plans/10000", "a plan of a million records"),
    ("write-back/replay?target=target_1", "a replay to a target"),
    ("quarantine/replay", "a replay of all that waits"),
    ("quarantine/replay?system=system_1&stream=stream_1&expectation=credit", "a replay of a reason"),
)
_WIDGETS = (
    ("widgets/home", "Airflow's first page"),
    ("widgets/dag?dag=sync__system_3", "a sync's tab"),
    ("widgets/dag_run?dag=sync__system_3&run=scheduled__77", "a run's tab"),
    ("widgets/task_instance?dag=sync__system_3&run=scheduled__77&task=stream_3.publish", "a task's tab"),
)
_SEED = """
    insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_read, rows_new,
        rows_changed, rows_quarantined, verdict, seconds_extracting, started_at, ended_at, last_active)
    select 'system_' || stream %% 20, 'stream_' || stream, at - interval '10 minutes', at,
        case when load %% 50 = 0 then 'rejected' else 'published' end, 'sync__system_' || stream %% 20,
        'scheduled__' || load, 'airflow:sync', 1000, load %% 7, load %% 5, load %% 3, 'passed', 1, at, at, at
    from generate_series(1, %(loads)s) load cross join generate_series(1, %(streams)s) stream
    cross join lateral (select now() - (%(loads)s - load) * interval '10 minutes') as time (at);
    insert into ops.usage (load_id, system, stream, status, requests, bytes, milliseconds, quota_used, quota_limit)
    select load_id, system, stream, '200', 5, 1000, 100, 7, 1000 from ops.load;
    insert into ops.cursor (system, stream, window_end, load_id, moved_at)
    select system, stream, max(window_end), max(load_id), now() from ops.load where state = 'published' group by 1, 2;
    insert into ops.quarantine
        (load_id, system, stream, _key, _hash, payload, _extracted_at, suite, expectation, reason, state)
    select load_id, system, stream, 'k' || load_id, ''::bytea, '{}', now(), system || '__' || stream,
        'expect_column_values_to_be_between(credit)', 'credit is -1; allowed: 0 or more',
        case when load_id %% 4 = 0 then 'open' else 'superseded' end
    from ops.load where load_id %% 10 < 2;
    alter table audit.event disable trigger event_link;
    insert into audit.event (seq, at, actor, action, subject, payload, result, previous_hash, hash)
    select load_id + 1000000, started_at, actor, 'load.publish', system || '.' || stream, '{}', 'ok',
        sha256(load_id::text::bytea), sha256(load_id::text::bytea) from ops.load;
    alter table audit.event enable always trigger event_link;
"""


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """Each page's time, and its statements; `rows` is the whole history's, at most 200 streams × 10,000 loads."""
    loads = min(LOADS, rows // STREAMS)
    with warehouse.fresh() as url, _history(warehouse, url, loads), _catalogue(), ExitStack() as stack:
        browser = stack.enter_context(TestClient(console_app(_who)))
        for path, title in (*VIEWS, *_TO_START, *_WIDGETS):
            ask = partial(_ask, browser, path)
            ask()
            before, began = peak_memory(), _statements(warehouse, url)
            times = [seconds(ask) for _ in range(rounds)]
            statements = (_statements(warehouse, url) - began) / rounds
            memory = peak_memory() - before
            detail = f"{statistics.median(times):.2f} s, {statements:.0f} statements, {memory:.0f} MB more at most"
            ratio = max(statistics.median(times) / MOST_SECONDS, statements / MOST_STATEMENTS)
            yield Row(
                f"console: {title} beside {STREAMS * loads:,} loads / 1 s, 10 statements", ratio, 1.0, detail, True
            )
        yield from _searches(browser, min(CUSTOMERS, rows // 2), rounds)


def _searches(browser: TestClient, customers: int, rounds: int) -> Iterator[Row]:
    for what, text in SEARCHES.items():
        for people in (False, True):
            given = {"text": text, "people": "true" if people else "false"}
            ask = partial(browser.post, "/records", data=given, headers={"Sec-Fetch-Site": "same-origin"})
            found = ask().raise_for_status().text.count("data-record=")
            times = [seconds(ask) for _ in range(rounds)]
            name = (
                f"console: search {what}{', personal values too,' if people else ''} in {customers:,} customers / 1 s"
            )
            detail = f"{statistics.median(times):.2f} s, {found} found"
            yield Row(name, statistics.median(times) / MOST_SECONDS, 1.0, detail, True)


def _ask(browser: TestClient, path: str) -> None:
    browser.get(f"/{path}").raise_for_status()


async def _who(_: Request) -> Viewer:
    return Viewer("measured", "engineer", "measured", reads_people=True)


@contextmanager
def _history(warehouse: Warehouse, url: str, loads: int) -> Iterator[None]:
    owner = make_conninfo(url, user="postgres", password=None)
    with psycopg.connect(warehouse.server.url(psycopg.conninfo.conninfo_to_dict(owner)["dbname"])) as connection:
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(_SEED, {"loads": loads, "streams": STREAMS})
            cursor.execute(_OUTBOX, {"written": min(WRITTEN, loads * STREAMS // 2)})
            cursor.execute(_CUSTOMERS, {"customers": min(CUSTOMERS, loads * STREAMS // 2)})
            cursor.execute("create unique index on conformed.customer_version (customer_id, _publish_id)")
        ensure_search_indexes(connection, read_catalog().entities["customer"])
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
    os.environ[CONSOLE_URL] = make_conninfo(url, user="onefold_console", password=PASSWORD)
    yield


@contextmanager
def _catalogue() -> Iterator[None]:
    """The history's streams in place of the project's, wherever a page reads the catalogue."""
    project = read_catalog()
    model = project.systems["erp"].model_dump(exclude_unset=True)
    stream = model["streams"]["towar"]
    systems = {
        f"system_{number}": System.model_validate(
            {
                **model,
                "system": f"system_{number}",
                "streams": {f"stream_{each}": stream for each in range(1, STREAMS + 1) if each % 20 == number},
            }
        )
        for number in range(20)
    }
    catalog = Catalog({**project.systems, **systems}, project.entities)
    with ExitStack() as stack:
        for found in pkgutil.iter_modules(pages.__path__):
            module = import_module(f"{pages.__name__}.{found.name}")
            if hasattr(module, "read_systems"):
                stack.enter_context(patch.object(module, "read_systems", lambda: systems))
            if hasattr(module, "read_targets"):
                stack.enter_context(patch.object(module, "read_targets", lambda _: _TARGETS))
            if hasattr(module, "read_catalog"):
                stack.enter_context(patch.object(module, "read_catalog", lambda: catalog))
        yield


def _statements(warehouse: Warehouse, url: str) -> int:
    """How many statements onefold_console has sent, but for those that begin and end its transactions."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(warehouse.server.url(name)) as connection:
        row = connection.execute(
            "select coalesce(sum(calls), 0)::bigint from audit.pg_stat_statements s join pg_roles r on r.oid = s.userid"
            " where r.rolname = 'onefold_console' and query !~* '^(begin|commit|rollback|set )'"
        ).fetchone()
    return row[0] if row else 0
