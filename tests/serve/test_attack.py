"""The API against what its own description allows and forbids: schemathesis, from outside, in thousands of cases."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests

from onefold.platform.postgres import Postgres, free_port
from onefold.serve.clients import SCOPES
from onefold.serve.keys import create_key
from sandbox.world import World
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.effort import TORTURE
from tests.serve.world import answered, golden, publish

PROGRAM = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 150 if TORTURE else 8
LEAST = 5_000 if TORTURE else 200
"""Cases: for each address so many examples, with what its description forbids besides."""


@contextmanager
def attacked(postgres: Postgres, state: Path) -> Iterator[tuple[str, str, World]]:
    """The API's address, a key with every scope, and the world that it knows."""
    name, world, port = copy_database(postgres, TEMPLATE), World(80), free_port()
    url = postgres.url(name)
    publish(url, [golden(each) for each in world.companies[:40]])
    answered(url, world)
    with psycopg.connect(url, autocommit=True) as owner:
        key = create_key(owner, "attacker", SCOPES, 100_000, 10**9, None, actor="os:test")
    with (state / "log").open("wb") as log:
        command = [sys.executable, "-m", "tests.serve.attacked", url, str(port), str(state)]
        service = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/health", service)
        yield address, key, world
        assert service.poll() is None, "the service outlives whatever is sent"
    finally:
        service.terminate()
        service.wait(20)
        drop_database(postgres, name)


def wait_for(url: str, service: subprocess.Popen[bytes]) -> None:
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=requests.urllib3.Retry(60, backoff_factor=0.05)))
    assert session.get(url, timeout=30).status_code == 200
    assert service.poll() is None


@pytest.mark.parametrize(
    "known", [False, pytest.param(True, marks=pytest.mark.torture)], ids=["any numbers", "numbers of companies"]
)
def test_nothing_that_the_description_allows_or_forbids_is_answered_otherwise_than_it_says(
    postgres: Postgres, tmp_path: Path, known: bool
) -> None:
    with attacked(postgres, tmp_path) as (address, key, world):
        company = next(each for each in world.companies if each.form == "sp_zoo" and not each.struck_off)
        lines = [f'"path.nip" = "{company.nip}"', f'"path.krs" = "{company.krs}"']
        (tmp_path / "schemathesis.toml").write_text("\n".join(["[parameters]", *lines]) if known else "")
        phases = "examples,coverage,fuzzing,stateful" if TORTURE else "fuzzing"
        command = [
            *(str(PROGRAM), "--config-file", str(tmp_path / "schemathesis.toml"), "run", f"{address}/openapi.json"),
            *("--header", f"X-API-Key: {key}", "--max-examples", str(EXAMPLES), "--phases", phases),
            *("--continue-on-failure", "--no-color", "--seed", "18", "--generation-database", "none"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:]
    cases = re.search(r"([\d,]+) generated", done.stdout)
    assert cases and int(cases[1].replace(",", "")) >= LEAST, done.stdout[-2000:]
