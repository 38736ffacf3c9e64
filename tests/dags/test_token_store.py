"""A task's store of refresh tokens: Airflow's variables through the real Task SDK, and a lock in the warehouse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from airflow.sdk.execution_time import task_runner

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.refresh import ConsentNeeded
from onefold.notify.notification import Notification
from onefold.orchestration.tasks import token_store
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.token_store import VariableStore
from tests.dags.variables import Supervisor
from tests.http.calls import Out
from tests.http.token_family import AUTH, TokenFamily
from tests.http.web_server import WebServer, serving


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    supervisor = Supervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    return supervisor


@pytest.fixture
def web() -> WebServer:
    with serving() as server:
        yield server


def test_tasks_that_refresh_at_once_keep_a_strict_family_alive(
    web: WebServer, supervisor: Supervisor, loader_url: str
) -> None:
    family = web.answer = TokenFamily(uses=4)

    def task(_: int) -> None:
        store = VariableStore("shop_api", loader_url)
        client = Out(web.url, endpoint=Endpoint(web.url, "app", None, {"refresh_token": "r0"}, store), auth=AUTH)
        for _ in range(6):
            with suppress(Fatal):  # another has spent the fresh token before us: no loop, and no harm
                client.get()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(task, range(4)))
    assert family.refresh is not None
    assert len(family.shown) == len(set(family.shown)) >= 4
    assert set(supervisor.variables) == {"onefold_refresh_token__shop_api"}


def test_an_api_server_that_is_down_is_no_reason_to_use_an_old_token(
    web: WebServer, supervisor: Supervisor, loader_url: str
) -> None:
    family = web.answer = TokenFamily(uses=1)
    endpoint = Endpoint(web.url, "app", None, {"refresh_token": "r0"}, VariableStore("shop_api", loader_url))
    Out(web.url, endpoint=endpoint, auth=AUTH).get()
    supervisor.down = 1
    with pytest.raises(Retriable, match="cannot be read"):
        Out(web.url, endpoint=endpoint, auth=AUTH).get()
    Out(web.url, endpoint=endpoint, auth=AUTH).get()
    assert family.shown == ["r0", "r1"]


def test_a_write_that_fails_is_tried_again_for_it_is_the_only_token_there_is(
    supervisor: Supervisor, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    with VariableStore("shop_api", loader_url).exclusive() as place:
        supervisor.down = 3
        place.write("new")
        assert place.read() == "new"
        assert len(slept) == 3
        supervisor.down = 100
        with pytest.raises(Retriable, match="could not be stored"):
            place.write("newer")


def test_a_secrets_backend_that_has_the_variable_too_is_named(
    supervisor: Supervisor, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_ONEFOLD_REFRESH_TOKEN__SHOP_API", "of the backend")
    with (
        VariableStore("shop_api", loader_url).exclusive() as place,
        pytest.raises(Fatal, match="a secrets backend has the variable onefold_refresh_token__shop_api too"),
    ):
        place.write("new")


class Recorder:
    """A receiver of alerts."""

    name = "recorder"

    def __init__(self) -> None:
        self.titles: list[str] = []

    def send(self, notification: Notification) -> None:
        self.titles.append(notification.title)
        assert "r0" not in notification.text


def test_that_consent_is_needed_is_one_alert_until_somebody_has_consented(
    web: WebServer, supervisor: Supervisor, loader_url: str, loader: psycopg.Connection
) -> None:
    family, recorder = TokenFamily(), Recorder()
    family.refresh = "r9"  # somebody else has used r0
    web.answer = family
    store = VariableStore("shop_api", loader_url, lambda: [recorder])

    def sign_in(consented: str) -> None:
        Out(web.url, endpoint=Endpoint(web.url, "app", None, {"refresh_token": consented}, store), auth=AUTH).get()

    for _ in range(2):
        with pytest.raises(ConsentNeeded):
            sign_in("r0")
    alerts = "select kind, subject, occurrences, resolved_at is null from ops.alert"
    assert loader.execute(alerts).fetchall() == [("consent", "shop_api", 2, True)]
    assert len(recorder.titles) == 1
    family.refresh = "fresh"
    sign_in("fresh")
    assert loader.execute(alerts).fetchall() == [("consent", "shop_api", 2, False)]
    assert len(recorder.titles) == 2


def test_a_lock_that_is_held_too_long_is_waited_for_no_longer(
    supervisor: Supervisor, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "LONGEST_WAIT", 0.05)
    store = VariableStore("shop_api", loader_url)
    with (
        store.exclusive(),
        VariableStore("other", loader_url).exclusive(),
        pytest.raises(Retriable, match="in use by another task"),
        store.exclusive(),
    ):
        pass
    with store.exclusive() as place:
        assert place.read() is None


def test_a_task_has_a_store_and_a_command_has_none(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", '{"conn_type": "http", "host": "http://127.0.0.1:1/shop"}')
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert isinstance(endpoint("shop_api").tokens, VariableStore)
    monkeypatch.delattr(task_runner, "SUPERVISOR_COMMS")
    assert endpoint("shop_api").tokens is None
