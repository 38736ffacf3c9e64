"""As test_kill.py, over each protocol's own connector, counted in its stand-in: every record is there once."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.target import Target as TargetFile
from onefold.connectors.outbound.contract import Outbound
from onefold.connectors.outbound.registry import open_outbound
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.write_back.place import place_of
from onefold.write_back.run import WriteBack
from tests.conform.world import PARTNER
from tests.connectors.outbound import test_odata as odata
from tests.connectors.outbound import test_rest as rest
from tests.connectors.outbound import test_salesforce as salesforce
from tests.connectors.outbound import test_soap as soap
from tests.connectors.outbound.register import registering
from tests.connectors.outbound.targets import Target
from tests.connectors.running_sandbox import Sandbox, running
from tests.effort import TORTURE
from tests.write_back.killed import SEED, write_under_kills
from tests.write_back.world import Outward

KILLS = 30 if TORTURE else 2
CREATES = 300 if TORTURE else 6
SUFFERS = 0.3
"""The share of creates whose answer is lost, or that are done after we have gone."""


@dataclass(frozen=True)
class Case:
    """One protocol's stand-in as a target: by which method it creates, and the fields of name and tax number."""

    target: Target
    method: str
    name: str
    number: str | None

    def file(self) -> TargetFile:
        """The target as a YAML says it."""
        of, named = self.target, {self.name: "legal_name", self.number: "tax_id_pl"}
        return TargetFile.model_validate(
            {
                "target": "erp", "title": "T", "system": of.system, "protocol": of.protocol, "approval": "never",
                "limits": {"rate": ["100000/s"], "timeout": "PT1S", "longest_run": "PT1S"},
                "objects": {
                    "partner": {
                        "entity": "partner", "object": of.object, "key": of.key, "reference": of.reference,
                        "fields": {name: {"attribute": each} for name, each in named.items() if name},
                        "settings": of.settings,
                    }
                },
            }
        )  # fmt: skip

    def write_back(self, outward: Outward) -> WriteBack:
        of, said = self.target, self.file()
        system = of.of_catalogue()
        endpoint = Endpoint(f"{of.sandbox.url}{of.below}", of.login, "sandbox-secret", {"rate": "100000/s", **of.extra})

        def open_object(name: str) -> Outbound:
            return open_outbound(
                of.protocol, place_of(said, system, name), endpoint, lambda attempt: None, limiter=MemoryLimiter(),
                breakers=SyncCircuitBreakerFactory(default_threshold=10_000), sleep=lambda _: None,
            )  # fmt: skip

        return WriteBack(outward.world.url, endpoint.url, said, system, {"partner": PARTNER}, open_object)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), 60, {**os.environ}) as sandbox:
        yield sandbox


@contextmanager
def _case(protocol: str, sandbox: Sandbox) -> Iterator[Case]:
    match protocol:
        case "salesforce":
            org = salesforce.Org(sandbox)
            yield Case(salesforce.target_of(sandbox, org), "PATCH", "Name", "NIP__c")
        case "odata_v2":
            yield Case(odata.partners(sandbox), "POST", "OrganizationBPName1", "SearchTerm2")
        case "odata_v4":
            yield Case(odata.products(sandbox), "POST", "ProductGroup", None)
        case _:
            of = {"soap": soap, "rest": rest}[protocol]
            with registering() as register:
                yield Case(of.target_of(register), "POST", "name", "city" if protocol == "soap" else "address.city")


@pytest.mark.parametrize(
    "protocol",
    [
        "salesforce",
        "odata_v2",
        "soap",
        pytest.param("odata_v4", marks=pytest.mark.full_matrix),
        pytest.param("rest", marks=pytest.mark.full_matrix),
    ],
)
def test_creates_over_each_protocol_whose_answers_get_lost_and_whose_process_is_killed_are_there_once_each(
    outward: Outward, sandbox: Sandbox, protocol: str
) -> None:
    chance, suffered = random.Random(SEED), 0
    with _case(protocol, sandbox) as case:

        def hinder(few: int) -> None:
            nonlocal suffered
            case.target.sandbox.clear()
            for at in range(few):
                if chance.random() < SUFFERS or not suffered:
                    kind = chance.choice([{"kind": "lost_answer"}, {"kind": "late_commit", "seconds": 0.5}])
                    case.target.sandbox.fault(system=case.target.system, path=f"{case.method} ", after=at, **kind)
                    suffered += 1

        write_under_kills(outward, case.write_back(outward), creates=CREATES, kills=KILLS, hinder=hinder)
        case.target.sandbox.clear()
        rows = outward.world.connection.execute("select reference, state from ops.outbox").fetchall()
        counted = [case.target.count(reference) for reference, _ in rows]
    assert counted == [1] * CREATES, f"{counted.count(0)} missing, {sum(each > 1 for each in counted)} doubled"
    assert {state for _, state in rows} == {"confirmed"}
