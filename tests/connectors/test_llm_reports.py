"""OpenAI's and Anthropic's reports by their YAML alone, against the sandbox: days, lists within them, and money."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
import requests

from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal
from sandbox.anthropic import api as anthropic
from sandbox.openai import api as openai
from sandbox.world.llm import dollars, usage, usages
from tests.connectors.running_sandbox import Connected, Sandbox, everything, running

COMPANIES, SEED = 240, 7
STREAMS = [("openai", "usage"), ("openai", "cost"), ("anthropic", "usage"), ("anthropic", "cost")]
MODELS = {"openai": openai.MODELS, "anthropic": anthropic.MODELS}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_OPENAI_PAGE": "25", "SANDBOX_ANTHROPIC_PAGE": "25"}
    with running(tmp_path_factory.mktemp("sandbox"), COMPANIES, environment) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    """The sandbox over its base world."""
    requests.post(f"{process.url}/control/reset", timeout=30).raise_for_status()
    return process


def connected(sandbox: Sandbox, system: str, stream: str) -> Connected:
    return Connected(sandbox, system, stream, "", f"{sandbox.url}/{system}")


def records(sandbox: Sandbox, system: str, stream: str) -> list[dict[str, object]]:
    pages = connected(sandbox, system, stream).pages(Window(BEGINNING, datetime.now(UTC)))
    found = [record for page in pages for record in page.records]
    assert len({record.key for record in found}) == len(found)
    return [json.loads(record.payload, parse_float=Decimal) for record in found]


@pytest.mark.parametrize(("system", "stream"), STREAMS)
def test_every_result_comes_once_with_the_day_of_its_bucket_and_adjoining_windows_lose_none(
    sandbox: Sandbox, system: str, stream: str
) -> None:
    reports = connected(sandbox, system, stream)
    whole = reports.versions(Window(BEGINNING, datetime.now(UTC)))
    days = sorted({datetime.fromisoformat(cursor) for _, cursor in whole})
    assert len(whole) == usages(COMPANIES) * (2 if stream == "cost" else 1)
    assert len(days) == usages(COMPANIES) // 2
    assert days[1] - days[0] == timedelta(days=1)
    edges = [BEGINNING, days[40], days[90], everything().end]
    pieces = [reports.versions(Window(start, min(end, datetime.now(UTC)))) for start, end in pairwise(edges)]
    assert {key: value for piece in pieces for key, value in piece.items()} == whole


@pytest.mark.parametrize("system", ["openai", "anthropic"])
def test_the_money_is_that_of_the_tokens_to_the_last_digit(sandbox: Sandbox, system: str) -> None:
    expected = Decimal(0)
    for number in range(usages(COMPANIES)):
        used = usage(SEED, system, number)
        *_, price_in, price_out = MODELS[system][used.place]
        expected += dollars(used.input_tokens, price_in) + dollars(used.output_tokens, price_out)
    rows = records(sandbox, system, "cost")
    broken = [row for row in rows if "?" in json.dumps(row, default=str)]
    for row in broken:
        rows.remove(row)
    if system == "openai":
        total = sum(row["amount"]["value"] for row in rows)
    else:
        total = sum(Decimal(row["amount"]) for row in rows) / 100  # cents
    assert 0 < len(broken) < 5
    assert 0 < expected - total < expected / 20  # what is broken is missing, and nothing else
    assert (expected - total).as_tuple().exponent >= -6


def test_the_default_workspace_which_has_no_id_is_a_key_like_others(sandbox: Sandbox) -> None:
    rows = records(sandbox, "anthropic", "usage")
    assert {row["workspace_id"] for row in rows} == {None, "wrkspc_01OnefoldAnalytics"}
    (page, *_) = connected(sandbox, "anthropic", "usage").pages(Window(BEGINNING, datetime.now(UTC)))
    assert page.records[0].key == '["2023-01-01T00:00:00Z",null,"claude-sonnet-4-5-20250929"]'


def test_a_day_that_is_not_over_is_left_to_the_next_load(sandbox: Sandbox) -> None:
    reports = connected(sandbox, "anthropic", "usage")
    noon = datetime(2023, 2, 10, 12, tzinfo=UTC)
    first = reports.versions(Window(BEGINNING, noon))
    assert max(cursor for _, cursor in first).startswith("2023-02-09")
    following = reports.versions(Window(noon - timedelta(days=3), noon + timedelta(days=1)))
    assert max(cursor for _, cursor in following).startswith("2023-02-10")


@pytest.mark.parametrize("system", ["openai", "anthropic"])
def test_a_page_token_that_is_no_longer_known_starts_the_window_anew(sandbox: Sandbox, system: str) -> None:
    reports = connected(sandbox, system, "usage")
    window = Window(datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 3, 1, tzinfo=UTC))
    assert reports.versions(window, "2023-01-01T00:00:00+00:00|page_gone") == reports.versions(window)


@pytest.mark.parametrize("system", ["openai", "anthropic"])
def test_a_refused_key_is_fatal_and_names_the_connection(sandbox: Sandbox, system: str) -> None:
    sandbox.fault(system=system, kind="status", code=401, body='{"error": {"message": "invalid x-api-key"}}')
    with pytest.raises(Fatal, match=rf"{system}\.usage.*connection '{system}'"):
        connected(sandbox, system, "usage").pages()
