"""A warehouse and the sandbox, and the real load between them: what the suite drives and what it looks at."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
import requests
from psycopg import sql
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.partial_changes import MERGED
from onefold.catalog.system import System
from onefold.connectors.page import PageReader
from onefold.load import steps
from onefold.load.extraction import from_system, open_transport
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.load.usage import Usage
from onefold.load.window import WindowRequest
from onefold.mapping.sql import field_sql
from onefold.quality.suite import FOLDER
from sandbox.process import Sandbox
from tests.acceptance.streams import CATALOG, Listed
from tests.roles import as_role

Wrap = Callable[[PageReader], PageReader]
_runs = itertools.count(1)


@dataclass(frozen=True)
class Observed:
    """What a stream's loads have left, without when they ran: equal when two histories end in the same tables."""

    versions: list[tuple[str, object, str | None, bool]]
    quarantined: list[tuple[str, object, str]]
    withheld: list[tuple[str, str, str]]
    answers: list[tuple[str, str]]

    @property
    def keys(self) -> set[str]:
        return {key for key, *_ in self.versions}


@dataclass
class Bench:
    """Loads streams from the sandbox into one warehouse. `slept` notes the pauses that nobody has to wait for."""

    sandbox: Sandbox
    url: str
    home: Path
    slept: list[float] = field(default_factory=list)

    def job(
        self,
        listed: Listed,
        *,
        wrap: Wrap = lambda pages: pages,
        requested: WindowRequest | None = None,
        run: str | None = None,
        dry_run_load: int | None = None,
        last_attempt: bool = True,
    ) -> Job:
        """A job as a task makes it; `wrap` stands between the connector and the load."""
        endpoint = listed.endpoint(self.sandbox)
        loader = as_role(self.url, "onefold_loader")
        unhurried = partial(
            open_transport, breakers=SyncCircuitBreakerFactory(default_threshold=10), sleep=self.slept.append
        )
        asked = from_system(listed.system, endpoint, loader, CATALOG.systems, CATALOG.entities, unhurried)

        @contextmanager
        def source(stream_name: str, usage: Usage) -> Iterator[PageReader]:
            with asked(stream_name, usage) as pages:
                yield wrap(pages)

        return Job(
            system=listed.system,
            stream_name=listed.stream_name,
            run=Run(f"sync__{listed.system.system}", run or f"manual__{next(_runs)}", "os:acceptance"),
            source=source,
            source_url=endpoint.url,
            warehouse_url=loader,
            entities=CATALOG.entities,
            run_is_over=lambda dag_id, run_id: True,
            requested=requested or WindowRequest(),
            suites=FOLDER,
            dry_run_load=dry_run_load,
            last_attempt=last_attempt,
        )

    def load(self, listed: Listed, **how: object) -> Load:
        """Land, gate and publish; `how` as for a job. The audit trail's anchor goes to the warehouse's own home."""
        job = self.job(listed, **how)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("ONEFOLD_HOME", str(self.home))
            steps.land(job)
            steps.gate(job)
            return steps.publish(job)

    def query(self, text: str, *values: object) -> list[tuple]:
        return self.queries((text, *values))[0]

    def queries(self, *asked: tuple[str, *tuple[object, ...]]) -> list[list[tuple]]:
        """The rows of each query; one connection for all, which costs more than most queries."""
        with psycopg.connect(self.url) as connection:
            return [connection.execute(text, values).fetchall() for text, *values in asked]

    def execute(self, text: str, *values: object) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(text, values or None)

    def observed(self, listed: Listed, *, current: bool = False) -> Observed:
        """Every version (or only the current ones) of the stream, its quarantine and its answers."""
        view = f"{listed.staging}__current" if current else listed.staging
        where = "where system = %s and stream = %s"
        name = (listed.system.system, listed.stream_name)
        found = self.queries(
            (f"select _key, {_content(listed)}, _cursor, _deleted from {view} order by _key, _load_id",),  # noqa: S608 - our own names
            (
                (
                    f"select coalesce(_key, raw), {_content(listed, 'payload')}, reason from ops.quarantine {where}"  # noqa: S608
                    " and state = 'open' and attribute is null order by 1"
                ),
                *name,
            ),
            (
                (
                    f"select _key, attribute, reason from ops.quarantine {where}"  # noqa: S608 - our own names
                    " and state = 'open' and attribute is not null order by 1, 2"
                ),
                *name,
            ),
            (f"select lookup_key, outcome from ops.lookup_cache {where} order by 1", *name),  # noqa: S608
        )
        return Observed(*found)

    def untouched(self, listed: Listed) -> list[list[tuple]]:
        """What a load that fails must leave as it was: versions, cursor, answers, quarantine."""
        where = f"where system = '{listed.system.system}' and stream = '{listed.stream_name}'"
        return self.queries(
            (f"select * from {listed.staging} order by _key, _load_id",),  # noqa: S608 - our own names
            (f"select quarantine_id, state from ops.quarantine {where} order by 1",),  # noqa: S608
            *(
                (f"select * from ops.{table} {where} order by 1, 2, 3",)  # noqa: S608
                for table in ("cursor", "lookup_cache", "stream_checkpoint")
            ),
        )

    def forget(self, listed: Listed) -> None:
        """Take away all that was loaded of the stream: the next load is a first one."""
        self.execute(f"delete from {listed.staging}")  # noqa: S608 - our own name
        for table in ("cursor", "lookup_cache", "stream_checkpoint", "quarantine"):
            self.execute(
                sql.SQL("delete from ops.{} where system = %s and stream = %s").format(sql.Identifier(table)),
                *(listed.system.system, listed.stream_name),
            )

    def let_answers_age(self, listed: Listed, hours: int = 25, *, only: int | None = None) -> list[str]:
        """As if the answers (or so many of them only) had been given that much earlier; returns their questions."""
        aged = self.query(
            "update ops.lookup_cache set answered_at = answered_at - make_interval(hours => %s) where system = %s and"
            " lookup_key in (select lookup_key from ops.lookup_cache where system = %s order by 1 limit %s)"
            " returning lookup_key",
            *(hours, listed.system.system, listed.system.system, only),
        )
        return [question for (question,) in aged]

    def expected(self, listed: Listed) -> tuple[dict[str, bool], set[str]]:
        """By the sandbox's truth: the sound records' keys and whether each is gone, and the keys of the broken ones.

        A record of which one value is withheld is sound.
        """
        mine = self._truth(listed)
        sound = {record["key"]: record["deleted"] for record in mine if not record["broken"]}
        return sound, {record["key"] for record in mine if record["broken"]}

    def rows_refused(self, listed: Listed) -> int:
        """By the sandbox's truth: how many rows the broken records are; rows in conflict have one key."""
        return sum(1 for record in self._truth(listed) if record["broken"])

    def incomplete(self, listed: Listed) -> set[str]:
        """By the sandbox's truth: the keys of the records of which a value is withheld."""
        return {record["key"] for record in self._truth(listed) if record["withheld"]}

    def _truth(self, listed: Listed) -> list[dict[str, object]]:
        mine = self.sandbox.truth(listed.name)["records"]
        if listed.stream.lookup:
            records = [record for naming in listed.naming for record in self.sandbox.truth(naming.name)["records"]]
            company_of = {(r["system"], r["key"]): r["company_id"] for r in records}
            named = {company_of[each] for each in self._named(listed)}
            mine = [record for record in mine if record["company_id"] in named]
        return mine

    def _named(self, listed: Listed) -> Iterator[tuple[str, str]]:
        """(system, key) of the staged records that hold something in the field which the stream is asked about."""
        asked = [name.split(".") for name in listed.stream.lookup.attributes]
        rules = [CATALOG.entities[entity].attributes[name].sources.items() for entity, name in asked]
        for source, rule in (each for sources in rules for each in sources):
            naming = Listed(source)
            if naming in listed.naming:
                (name,) = rule.fields
                field_text = field_sql(name, naming.stream.fields[name])
                for key, value in self.query(
                    f"select _key, {field_text} from {naming.staging}__current where not _deleted"  # noqa: S608
                ):
                    if value and value not in rule.null_values:
                        yield naming.system.system, key

    def fault(self, listed: Listed, **fault: object) -> None:
        """Let the stand-in suffer, in its answers for records unless `path` says otherwise."""
        self.sandbox.control("faults", **{"system": listed.system.system, "path": listed.case.path, **fault})

    def hits(self) -> int:
        """How many answers have suffered."""
        return sum(self.hits_of_each())

    def hits_of_each(self) -> list[int]:
        """How many answers have suffered from each fault, in the order in which they were made."""
        faults = requests.get(f"{self.sandbox.url}/control/faults", timeout=10).json()["faults"]
        return [fault["hits"] for fault in faults]

    def fix(self) -> None:
        """Take all faults away."""
        requests.delete(f"{self.sandbox.url}/control/faults", timeout=10).raise_for_status()

    def requests(self, system: System) -> int:
        """How many requests the stand-in has answered so far."""
        return requests.get(f"{self.sandbox.url}/control/stats", timeout=10).json()[system.system]["requests"]


def everything(listed: Listed) -> WindowRequest:
    """The stream's whole past, once more, as a backfill asks for it."""
    return WindowRequest(listed.case.history, datetime.now(UTC), exactly=True)


def anew(listed: Listed) -> WindowRequest:
    """All of the stream once more; of a look-up, whose answers have aged, as any load asks for it: its past would be
    asked for day by day."""
    return WindowRequest() if listed.stream.lookup else everything(listed)


def assert_gone(bench: Bench, listed: Listed, sound: dict[str, bool]) -> None:
    """What is gone at the source shows so in staging, and (where the source says it outright) nothing else does."""
    ended = {
        key
        for (key,) in bench.query(f"select _key from {listed.staging}__current where {listed.case.ended}")  # noqa: S608
        if key in sound
    }
    gone = {key for key, is_gone in sound.items() if is_gone}
    assert gone <= ended
    assert gone == ended or listed.case.ended != "_deleted"


def _content(listed: Listed, payload: str = "_payload") -> str:
    """The payload without what differs at every reading and means nothing."""
    for path in listed.stream.volatile:
        payload = f"({payload} #- '{{{path.replace('.', ',')}}}')"
    if listed.stream.partial_changes:
        payload = f"({payload} - '{MERGED}')"
    return payload
