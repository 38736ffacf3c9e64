"""A system that events are posted to: the service in this process, and a warehouse that they are loaded into."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import LiteralString

import psycopg
from starlette.testclient import TestClient

from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import confirmation, from_system
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.receive.hooks import hooks_of
from onefold.receive.service import application
from onefold.replay.ledger import close_replay, open_replay
from onefold.replay.selection import Selection
from onefold.warehouse.connection import connect
from tests.receive.signers import NOW, SENDERS
from tests.roles import as_role

SUITE = """
name: test_hook__payment
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}}
"""
OPEN = "select _key from ops.quarantine where state = 'open' order by 1"
CURRENT = "select _key, _payload ->> 'amount' from staging.test_hook__payment__current where not _deleted order by 1"
STRIPE = SENDERS["stripe"]
_runs = itertools.count(1)


def payments(**more: object) -> System:
    """A system with one stream, payment: an event's object, in the order of its `created`."""
    stream = {
        "title": "Payments",
        "webhook": {"signature": "stripe"},
        "primary_key": ["id"],
        "cursor": {"fields": ["created"], "kind": "unix_seconds"},
        "fields": {"id": "text", "created": "integer", "amount": "integer"},
        "gate": {"max_quarantined_share": 0.9},
    }
    head = {"system": "test_hook", "title": "Hook", "protocol": "webhook", "connection": "t", "schedule": "0 * * * *"}
    return System.model_validate({**head, "streams": {"payment": stream | more}})


@dataclass
class Hook:
    """The service in this process, and a warehouse that its events are loaded into."""

    url: str
    suites: Path
    source: str = "https://api.example"

    def post(self, system: System, *bodies: bytes) -> list[int]:
        """The statuses of bodies that Stripe has signed."""
        extra = {"signing_secret": STRIPE.secret}
        hooks = hooks_of([system], lambda _: Endpoint(self.source, extra=extra))
        app = application(lambda: hooks, as_role(self.url, "onefold_receiver"), lambda: NOW)
        with TestClient(app) as client:
            path = "/hooks/test_hook/payment"
            return [
                client.post(path, content=body, headers=STRIPE.sign(STRIPE.secret, body, NOW)).status_code
                for body in bodies
            ]

    def load(self, system: System, *, anew: bool = False) -> Load:
        return steps.run(self.job(system, anew=anew))

    def job(self, system: System, *, anew: bool = False) -> Job:
        loader, endpoint = as_role(self.url, "onefold_loader"), Endpoint(self.source)
        return Job(
            system=system,
            stream_name="payment",
            run=Run("sync__test_hook", f"manual__{next(_runs)}", "os:tester"),
            source=from_system(system, endpoint, loader, {"test_hook": system}, {}),
            source_url=endpoint.url,
            warehouse_url=loader,
            entities={},
            run_is_over=lambda dag_id, run_id: True,
            suites=self.suites,
            anew=anew,
            confirm=confirmation(system, endpoint, loader),
        )

    def query(self, text: str) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text).fetchall()

    def execute(self, text: LiteralString, *values: object) -> None:
        with psycopg.connect(self.url, autocommit=True) as owner:
            owner.execute(text, values[0] if values and isinstance(values[0], dict) else values or None)

    def published(self) -> list[tuple]:
        return self.query(
            "select _key, (_payload ->> 'amount')::int from staging.test_hook__payment__current"
            " where not _deleted order by 1"
        )

    def replay(self, system: System) -> dict[str, int]:
        """What became of all rows that wait in quarantine."""
        run, systems = Run("replay", f"manual__{next(_runs)}", "os:tester"), {"test_hook": system}
        with connect(self.url, autocommit=True) as owner:
            opened = open_replay(owner, Selection(system="test_hook"), "the YAML was fixed", run, systems)
        steps.run(replace(self.job(system), run=run, source=None, source_url=None, replay_id=opened.replay_id))
        with connect(self.url, autocommit=True) as owner:
            totals = close_replay(owner, run).totals
        return {name: totals[name] for name in ("published", "refused", "superseded")}

    def last_sequence(self) -> int:
        ((sequence,),) = self.query("select max(sequence) from inbox.event")
        return int(sequence)

    def position(self) -> int:
        ((checkpoint,),) = self.query("select checkpoint from ops.stream_checkpoint where system = 'test_hook'")
        return int(checkpoint)
