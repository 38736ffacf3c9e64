"""The API's description, its page and the client that is made from it."""

from __future__ import annotations

import importlib.util
import json
import shlex
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import psycopg
import pytest
import uvicorn

from onefold.commands.demo_api import service_lines
from onefold.platform.postgres import free_port
from onefold.serve.python_client import FILE, generate, python_client
from onefold.settings import ROOT, settings
from tests.serve.conftest import Api
from tests.serve.world import CATALOG


@pytest.fixture(scope="module")
def client_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("onefold_client", ROOT / FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def address(api: Api) -> Iterator[str]:
    """The module's service on a socket, without its lifespan: the fixture `api` has that."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(api.http.app, port=port, log_level="warning", lifespan="off"))

    async def serve() -> None:
        await server.serve()

    thread = threading.Thread(target=lambda: api.http.portal.call(serve), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


def test_there_are_at_least_eighteen_addresses_and_each_says_what_it_answers(api: Api) -> None:
    description = api.http.get("/openapi.json").json()
    assert description["openapi"] == "3.1.0"
    operations = [
        (path, method, each) for path, methods in description["paths"].items() for method, each in methods.items()
    ]
    assert len([path for path, _, _ in operations if path.startswith("/v1")]) >= 18
    assert len({each["operationId"] for _, _, each in operations}) == len(operations)
    for path, _, each in operations:
        if path.startswith("/v1"):
            assert each["security"] and {"400", "401", "403", "429", "503"} <= set(each["responses"])
            assert "422" not in each["responses"]


def test_the_page_needs_nothing_from_elsewhere_and_runs_no_script(api: Api) -> None:
    page = api.http.get("/docs")
    assert "script" not in page.headers["content-security-policy"]
    assert (
        "<script" not in page.text
        and "http://" not in page.text
        and "https://" not in page.text.replace("https address", "")
    )
    assert page.text.count("<h3") > 40


def test_the_client_is_what_the_description_gives(api: Api) -> None:
    assert (ROOT / FILE).read_text() == python_client(api.http.app.openapi())
    assert generate(CATALOG, check=True) == []


def test_the_client_asks_every_kind_of_question(api: Api, address: str, client_module: ModuleType) -> None:
    client = client_module.Client(address, key=api.all["X-API-Key"])
    company = api.legal_person
    assert client.company_by_nip(company.nip)["company"]["krs"] == company.krs
    assert client.search_companies(q=company.name[:8], limit=5)["items"]
    assert client.make_check("check-client", {"nips": [company.nip]})["state"] == "done"
    assert client.report_pdf(company.nip).startswith(b"%PDF-")
    watch = client.watch({"nip": company.nip})
    assert client.unwatch(watch["watch_id"]) is None
    with pytest.raises(client_module.Problem) as refused:
        client.company_by_nip("5272889008")
    assert (refused.value.status, refused.value.type) == (404, "/docs#not-found")
    with pytest.raises(client_module.Problem) as unknown:
        client_module.Client(address, key="none").usage()
    assert unknown.value.status == 401


def test_the_line_that_the_demo_prints_works_when_it_is_typed(api: Api, address: str) -> None:
    here = replace(settings(), api_port=int(address.rpartition(":")[2]))
    with psycopg.connect(api.url, autocommit=True) as owner:
        first, _ = service_lines(here, owner)
        line, _ = service_lines(here, owner)
    shown = subprocess.run(shlex.split(line.partition(": ")[2]), capture_output=True, check=True).stdout
    assert json.loads(shown)["items"]
    key = shlex.split(first.partition(": ")[2])[2].removeprefix("X-API-Key: ")
    assert api.http.get("/v1/usage", headers={"X-API-Key": key}).status_code == 401, "an earlier demo's key has ended"
