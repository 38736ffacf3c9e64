"""Stripe by its YAML alone, against the sandbox: pages after the last record, seconds since 1970, late events."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import requests

from onefold.catalog.reader import read_systems
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal
from sandbox.world.business import orders, payment
from tests.connectors.running_sandbox import Connected, Sandbox, everything, running

COMPANIES, SEED = 800, 7


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_STRIPE_PAGE": "15"}
    with running(tmp_path_factory.mktemp("sandbox"), COMPANIES, environment) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    """The sandbox over its base world."""
    requests.post(f"{process.url}/control/reset", timeout=30).raise_for_status()
    return process


def connected(sandbox: Sandbox, stream: str) -> Connected:
    return Connected(sandbox, "stripe", stream, "", f"{sandbox.url}/stripe")


def test_every_payment_is_one_charge_in_minor_units_that_names_its_invoice(sandbox: Sandbox) -> None:
    pages = connected(sandbox, "charge").pages()
    charges = [json.loads(record.payload) for page in pages for record in page.records]
    expected = [payment(SEED, number, companies=COMPANIES) for number in range(3, orders(COMPANIES), 4)]
    assert len(pages) > 5
    assert {charge["metadata"]["invoice"]: charge["amount_captured"] for charge in charges if charge["metadata"]} == {
        paid.invoice.reference: int(paid.amount * 100) for paid in expected if paid
    }
    assert len({charge["id"] for charge in charges}) == len(charges)


def test_adjoining_windows_lose_nothing_of_what_was_created_in_the_same_second(sandbox: Sandbox) -> None:
    charges = connected(sandbox, "charge")
    whole = charges.versions()
    moments = sorted(datetime.fromisoformat(cursor) for _, cursor in whole)
    assert len(set(moments)) < len(moments)
    edges = [BEGINNING, moments[40], moments[90] + timedelta(milliseconds=400), everything().end]
    pieces = [charges.versions(Window(start, end)) for start, end in pairwise(edges)]
    assert {key: value for piece in pieces for key, value in piece.items()} == whole


def test_an_event_that_appears_after_younger_ones_is_within_the_look_back(sandbox: Sandbox) -> None:
    events = connected(sandbox, "event")
    sandbox.advance(new=5)
    known = events.versions()
    reached = max(datetime.fromisoformat(cursor) for _, cursor in known)
    sandbox.advance(new=25)
    late = events.versions().keys() - known.keys()
    assert len([cursor for _, cursor in late if datetime.fromisoformat(cursor) < reached]) > 3
    lookback = read_systems()["stripe"].streams["event"].cursor.lookback
    assert late <= events.versions(Window(reached - lookback, datetime.now(UTC) + timedelta(hours=1))).keys()


def test_a_charge_to_go_on_from_that_is_not_listed_starts_the_window_anew(sandbox: Sandbox) -> None:
    charges = connected(sandbox, "charge")
    assert charges.versions(token="ch_never_was") == charges.versions()


def test_a_refused_key_is_fatal_and_is_not_shown(sandbox: Sandbox) -> None:
    sandbox.fault(system="stripe", kind="status", code=401, body='{"error": {"message": "Invalid: sandbox-secret"}}')
    with pytest.raises(Fatal, match=r"stripe\.charge.*/v1/charges.*connection 'stripe'") as raised:
        connected(sandbox, "charge").pages()
    assert "sandbox-secret" not in str(raised.value)
