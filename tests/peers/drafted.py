"""A system as a user gets it: drafted by `new system` from the running server, loaded unedited, compared by row."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.commands import new
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import from_system
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.mapping.sql import field_sql
from onefold.settings import ROOT

_SQL_TYPES = {
    "text": "text", "integer": "numeric", "numeric": "numeric", "boolean": "boolean", "date": "date",
    "timestamp": "timestamptz", "json": "jsonb",
}  # fmt: skip
_runs = itertools.count(1)


@dataclass
class Drafted:
    """A drafted system and the warehouse that it is loaded into. `text` is its YAML as `new system` wrote it."""

    system: System
    endpoint: Endpoint
    loader_url: str
    folder: Path
    loads: list[Load] = field(default_factory=list)

    @property
    def text(self) -> str:
        return (self.folder / "catalog" / "systems" / f"{self.system.system}.yaml").read_text()

    def load(self, stream: str) -> Load:
        """One load of a stream, published."""
        systems = {self.system.system: self.system}
        job = Job(
            system=self.system,
            stream_name=stream,
            run=Run(f"sync__{self.system.system}", f"manual__{next(_runs)}", "os:tester"),
            source=from_system(self.system, self.endpoint, self.loader_url, systems, {}),
            source_url=self.endpoint.url,
            warehouse_url=self.loader_url,
            entities={},
            run_is_over=lambda dag_id, run_id: True,
            suites=self.folder / "expectations",
        )
        steps.land(job)
        steps.gate(job)
        load = steps.publish(job)
        assert (load.state, load.rows_quarantined) == ("published", 0), load
        return load

    def rows(self, stream: str, fields: Iterable[str]) -> list[tuple[object, ...]]:
        """What the warehouse holds of a stream now: its fields with their declared types."""
        declared = self.system.streams[stream].fields
        shown = [sql.SQL(_typed(field_sql(name, declared[name]), declared[name].type)) for name in fields]
        table = sql.Identifier("staging", f"{self.system.system}__{stream}__current")
        query = sql.SQL("select {} from {} where not _deleted").format(sql.SQL(", ").join(shown), table)
        with psycopg.connect(self.loader_url) as connection:
            return connection.execute(query).fetchall()


def _typed(text: str, kind: str) -> str:
    """The value of a field; OData v2 writes times as milliseconds since 1970, /Date(1767225600123)/."""
    if kind != "timestamp":
        return f"({text})::{_SQL_TYPES[kind]}"
    milliseconds = f"substring({text} from '^/Date[(](-?[0-9]+)')::numeric"
    iso = f"(case when {text} not like '/%' then {text} end)::timestamptz"
    return f"coalesce(timestamptz 'epoch' + {milliseconds} * interval '1 ms', {iso})"


def drafted(
    kind: str, location: str, endpoint: Endpoint, loader_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Drafted:
    """The system `peer`, drafted into a folder of its own by the command that a user types."""
    for name in ("catalog/systems", "expectations"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "catalog" / "privacy.yaml", folder / "catalog")
    monkeypatch.setattr(new, "ROOT", folder)
    monkeypatch.setenv("ONEFOLD_HOME", str(folder / "home"))
    done = CliRunner().invoke(new.system, ["peer", "--from", kind, location])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return Drafted(read_systems(folder / "catalog" / "systems")["peer"], endpoint, loader_url, folder)


def differences(ours: Iterable[tuple[object, ...]], theirs: Iterable[tuple[object, ...]]) -> list[str]:
    """Rows that only one side has, told by side; numbers by their digits, so that 1.50 is not 1.5."""
    left, right = {repr(row) for row in ours}, {repr(row) for row in theirs}
    return [f"only here: {row}" for row in sorted(left - right)] + [
        f"only there: {row}" for row in sorted(right - left)
    ]
