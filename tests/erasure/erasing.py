"""Worlds in which persons are erased: among the other operations, each done to the warehouse and to the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.erasure import lifecycle as erasures
from onefold.erasure.case_file import open_case
from onefold.erasure.request import ErasureRequest
from onefold.load.ledger import Run
from onefold.privacy.values import email
from tests.approvals import answer
from tests.operations.truth import Load, Truth
from tests.operations.world import EVERYTHING, World


class ErasingTruth(Truth):
    """A person who was erased is judged by no suite any more."""

    def __init__(self) -> None:
        super().__init__()
        self.erased: set[str] = set()

    def erase(self, key: str) -> None:
        """What was read late of the key, and never judged, will not be."""
        self.erased.add(key)
        for load in self.loads.values():
            if key in load.reads and load.reads[key].good is None:
                load.reads[key] = replace(load.reads[key], good=True)

    def add(self, load: Load, least_credit: int) -> None:
        """As without erasures, but for the keys that were erased."""
        mine = {key: read for key, read in load.reads.items() if key in self.erased}
        load.reads = {key: read for key, read in load.reads.items() if key not in mine}
        super().add(load, least_credit)
        judged = load.reads
        load.reads = mine
        del self.loads[load.number]
        super().add(load, EVERYTHING)
        load.reads = {**judged, **load.reads}


class ErasingWorld(World):
    """A stream in which each record is of a person with an address."""

    def __init__(self, url: str, suites: Path, owner_url: str) -> None:
        super().__init__(url, suites)
        self.owner_url = owner_url
        self.truth = ErasingTruth()
        self.has_people(client(self.shop.stream))

    def has_people(self, entity: Entity) -> None:
        """The stream's records are of this entity, by which loads know a person again."""
        self.people = Catalog(systems=self.catalog.systems, entities={entity.entity: entity})
        self.shop.entities = self.people.entities

    def address(self, key: str) -> str:
        """By which the person of the key is known; every world's are others."""
        return f"{key}.{self.shop.stream}@person.example"

    def erase(self, key: str) -> None:
        """Plan, approve and execute; a person who is not in the warehouse is known when they come."""
        case = open_case(frozenset({email(self.address(key))}))
        run = Run("erase", f"manual__{case.name}", f"airflow:by:engineer/erase/manual__{case.name}")
        number, _ = erasures.plan_erasure(self.shop.url, self.people, ErasureRequest(case.name, "Art. 17"), run)
        answer(self.shop.url, f"erasure:{number}", "approver", approved=True)
        assert erasures.execute_erasure(self.shop.url, self.people, run) is not None
        self.truth.erase(key)

    def _answer(self, window: Window, token: str | None) -> Iterator[Page]:
        for page in super()._answer(window, token):
            records = [Record(each.key, each.cursor, each.deleted, self._with_address(each)) for each in page.records]
            yield replace(page, records=records)

    def _with_address(self, read: Record) -> bytes:
        return read.payload.replace(f"Name {read.key}".encode(), self.address(read.key).encode())


def client(stream: str, name: str = "client") -> Entity:
    """The entity that says by what the stream's persons are known."""
    return Entity.model_validate(
        {
            "entity": name,
            "title": "Client",
            "version": 1,
            "trust": ["shop"],
            "identity": {"strong": ["email"]},
            "person": {"identifiers": ["email"]},
            "attributes": {
                "email": {
                    "meaning": "the address",
                    "personal": "contact",
                    "sources": {f"shop.{stream}": {"field": "name", "transform": "email"}},
                },
                "credit": {
                    "meaning": "the credit, by which the suite judges a record",
                    "type": "numeric",
                    "essential": True,
                    "sources": {f"shop.{stream}": {"field": "credit", "transform": "numeric"}},
                },
            },
        }
    )
