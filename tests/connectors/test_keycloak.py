"""Keycloak by its YAML alone, against the sandbox: nobody is missed although offsets drift, and deletions arrive."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import requests

from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal
from tests.connectors.running_sandbox import Connected, Sandbox, everything, running


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_KEYCLOAK_PAGE": "20"}
    with running(tmp_path_factory.mktemp("sandbox"), 1500, environment) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    """The sandbox over its base world."""
    requests.post(f"{process.url}/control/reset", timeout=30).raise_for_status()
    return process


def connected(sandbox: Sandbox, stream: str, login: str = "onefold") -> Connected:
    return Connected(sandbox, "keycloak", stream, login, f"{sandbox.url}/keycloak")


def living(sandbox: Sandbox) -> set[str]:
    """The users that there are now, in one page that no sandbox setting cuts: asked for one by one."""
    token = requests.post(
        f"{sandbox.url}/keycloak/realms/onefold/protocol/openid-connect/token",
        data={"grant_type": "client_credentials", "client_id": "onefold", "client_secret": "sandbox-secret"},
        timeout=10,
    ).json()["access_token"]
    found: set[str] = set()
    while True:
        page = requests.get(
            f"{sandbox.url}/keycloak/admin/realms/onefold/users?first={len(found)}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        ).json()
        if not page:
            return found
        found |= {user["id"] for user in page}


def test_nobody_is_missed_and_the_deleted_are_gone_when_users_come_and_go_between_the_pages(sandbox: Sandbox) -> None:
    users, before = connected(sandbox, "user"), living(sandbox)
    state: dict[str | None, bool] = {}
    for place, page in enumerate(users.reader()(Window(BEGINNING, everything().end), None)):
        state |= {record.key: record.deleted for record in page.records}
        if place < 6:
            sandbox.advance(deletions=6, new=2)
    after = living(sandbox)
    assert len(before) > 140
    assert len(before - after) > 30
    assert {key for key in before & after if key not in state} == set()
    assert {key for key in before - after if state.get(key) is not True} == set()
    assert not any(state[key] for key in after & state.keys())


def test_removing_a_users_login_elsewhere_is_no_deletion_of_the_user(sandbox: Sandbox) -> None:
    sandbox.advance(deletions=5)
    events = connected(sandbox, "admin_event").versions()
    deletes = [json.loads(payload) for payload in events.values() if b'"DELETE"' in payload]
    paths = {event["resourcePath"] for event in deletes if event["resourceType"] == "USER"}
    gone = {record.key for page in connected(sandbox, "user").pages() for record in page.records if record.deleted}
    assert {path for path in paths if path.endswith("/google")}
    assert gone == {path.removeprefix("users/") for path in paths if not path.endswith("/google")}


def test_every_deletion_is_one_admin_event_and_adjoining_windows_lose_none(sandbox: Sandbox) -> None:
    sandbox.advance(deletions=5)
    events = connected(sandbox, "admin_event")
    whole = events.versions()
    moments = sorted(datetime.fromisoformat(cursor) for _, cursor in whole)
    edges = [BEGINNING, moments[len(moments) // 3], moments[len(moments) // 2], everything().end]
    pieces = [events.versions(Window(start, end)) for start, end in pairwise(edges)]
    assert {key: value for piece in pieces for key, value in piece.items()} == whole
    recent = events.versions(Window(datetime.now(UTC) - timedelta(hours=1), everything().end))
    assert sum(b'"DELETE"' in payload for payload in recent.values()) == 10  # five users and five groups


def test_a_wrong_secret_is_fatal_and_names_the_connection(sandbox: Sandbox) -> None:
    with pytest.raises(Fatal, match=r"openid-connect/token.*unauthorized_client.*connection 'keycloak'"):
        connected(sandbox, "user", "nobody").pages()
