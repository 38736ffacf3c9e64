"""What the world lawfully sends of commerce, of the registers and of KSeF, in one warehouse: to map, judge and publish
all entities takes half a minute, and no test of what came out changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.conform.dbt_build import DbtProject, marts_fingerprint
from onefold.conform.gate import entity_gate
from onefold.conform.report import ConformReport
from onefold.conform.run import conform
from onefold.connectors.records import Head
from onefold.load.staging import ensure_all_staging
from onefold.mapping.registry import mapping_fingerprints
from onefold.platform.postgres import Postgres
from onefold.settings import ROOT
from tests.conform import commerce, ksef, registers
from tests.conform.landed import CATALOG, load
from tests.conform.world import ACTOR
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.roles import as_role

DBT = ROOT / "dbt_project"


@dataclass(frozen=True)
class Published:
    """The warehouse as its superuser sees it, its address, and what its one conform said."""

    url: str
    connection: psycopg.Connection
    report: ConformReport


@contextmanager
def published_in(postgres: Postgres, home: Path) -> Iterator[Published]:
    """A warehouse of its own on this server, for tests that only look; `home` gets what is not in it."""
    name = copy_database(postgres, TEMPLATE)
    url = postgres.url(name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONEFOLD_HOME", str(home))
        report = publish(url, home / "dbt")
    with psycopg.connect(url, autocommit=True) as connection:
        yield Published(url, connection, report)
    drop_database(postgres, name)


def publish(url: str, folder: Path) -> ConformReport:
    """Load everything into the warehouse at this address, and conform it."""
    loader = as_role(url, "onefold_loader")
    ensure_all_staging(loader, CATALOG)
    with psycopg.connect(loader, autocommit=True) as connection:
        for stream, records in commerce.RECORDS.items():
            _stage(connection, stream, records)
    for source_name, payloads in registers.ANSWERS.items():
        name, _, stream_name = source_name.partition(".")
        head = Head(source_name, CATALOG.systems[name].streams[stream_name])
        load(loader, source_name, [head.record(msgspec.json.encode(payload)) for payload in payloads])
    for stream_name in ksef.STREAMS:
        load(loader, f"ksef.{stream_name}", ksef.records(stream_name))
    mappings = mapping_fingerprints(CATALOG.entities, CATALOG.systems) | {"marts": marts_fingerprint(DBT)}
    entities = list(CATALOG.entities.values())
    return conform(loader, ACTOR, entity_gate(loader), entities, DbtProject(DBT, folder), mappings=mappings)


def _stage(connection: psycopg.Connection, name: str, records: Mapping[str, commerce.Payload]) -> None:
    """One published load of the stream, of what has passed its gate."""
    system, _, stream = name.partition(".")
    loaded = connection.execute(
        "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_new)"
        " values (%s, %s, '2026-01-01', '2026-01-02', 'published', 'd', 'r', 'a', 1) returning load_id",
        (system, stream),
    ).fetchone()
    assert loaded
    insert = sql.SQL(
        "insert into {} (_key, _hash, _payload, _deleted, _load_id, _extracted_at) values (%s, %s, %s, false, %s, %s)"
    ).format(sql.Identifier("staging", f"{system}__{stream}"))
    for key, payload in records.items():
        connection.execute(insert, (key, b"0", Jsonb(payload), loaded[0], datetime(2026, 3, 1, tzinfo=UTC)))
