"""What holds with every vault: run against a stand-in in `make test`, against OpenBao itself in `make test-peers`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
from airflow.sdk.configuration import clear_secrets_backends_cache
from airflow.sdk.execution_time import task_runner

from onefold.errors import Fatal, Retriable
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.vault_token_store import VaultStore
from onefold.vault import backend
from tests.dags.variables import Supervisor
from tests.vault.vault_server import FOLDER, VaultServer

PATH = "onefold/refresh-tokens/shop_api"
TOKENS = "t0kens-of-the-test"
CONNECTION = {"conn_type": "http", "host": "http://127.0.0.1:1/shop", "password": "passw0rd-of-the-test"}
Place = Callable[..., VaultStore]


@pytest.fixture
def secrets_backend(
    vault_server: VaultServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Airflow's secrets backend is the vault, as in a new task; no secret is in any log afterwards."""
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", Supervisor(), raising=False)
    settings = vault_server.settings()
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend.NAME)
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps(settings))
    clear_secrets_backends_cache()
    caplog.set_level(logging.DEBUG)
    yield
    clear_secrets_backends_cache()
    for secret in (settings["secret_id"], TOKENS, CONNECTION["password"]):
        assert secret not in caplog.text


@pytest.fixture
def place(secrets_backend: None, loader_url: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    return lambda folder=FOLDER: VaultStore("shop_api", loader_url, tuple, folder)


def test_what_is_stored_is_read_and_a_process_signs_in_once(vault_server: VaultServer, place: Place) -> None:
    before = vault_server.logins
    store = place()
    with store.exclusive() as held:
        assert held.read() is None
        held.write(TOKENS)
        held.write(TOKENS + "2") if held.read() else None
    with place().exclusive() as held:
        assert held.read() == TOKENS + "2"
    assert vault_server.logins == before + 1


def test_a_token_of_the_vault_that_has_ended_is_replaced(vault_server: VaultServer, place: Place) -> None:
    before = vault_server.logins
    with place().exclusive() as held:
        held.read()
        vault_server.end_tokens()
        held.write(TOKENS)
        vault_server.end_tokens()
        assert held.read() == TOKENS
    assert vault_server.logins == before + 3


def test_a_secret_that_somebody_deleted_is_followed_by_the_next_version(
    vault_server: VaultServer, place: Place
) -> None:
    vault_server.put(PATH, {"tokens": "of long ago"})
    vault_server.delete(PATH)
    with place().exclusive() as held:
        assert held.read() is None
        held.write(TOKENS)
    assert vault_server.newest(PATH) == {"tokens": TOKENS}


def test_what_another_process_wrote_meanwhile_is_not_overwritten(vault_server: VaultServer, place: Place) -> None:
    with place().exclusive() as held:
        held.read()
        vault_server.put(PATH, {"tokens": "of another"})
        with pytest.raises(Fatal, match=r"shop_api\) was written by another process, though this one had the lock"):
            held.write(TOKENS)
    assert vault_server.newest(PATH) == {"tokens": "of another"}


def test_a_write_whose_answer_was_lost_is_no_conflict(vault_server: VaultServer, place: Place) -> None:
    with place().exclusive() as held:
        held.read()
        vault_server.put(PATH, {"tokens": TOKENS})
        held.write(TOKENS)


def test_a_sealed_vault_is_said_before_anything_is_asked(vault_server: VaultServer, place: Place) -> None:
    with place().exclusive() as held:
        vault_server.seal()
        with pytest.raises(Retriable, match=r"refresh-tokens/shop_api\): the vault at http.* is sealed. Unseal it"):
            held.read()
        vault_server.unseal()
        assert held.read() is None


def test_a_vault_that_is_sealed_between_reading_and_writing_is_tried_again(
    vault_server: VaultServer, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            vault_server.unseal()

    monkeypatch.setattr("tenacity.nap.time.sleep", nap)
    with place().exclusive() as held:
        held.read()
        vault_server.seal()
        held.write(TOKENS)
        vault_server.seal()
        with pytest.raises(Retriable, match=r"could not be stored, 6 times: .*sealed.*somebody must consent anew"):
            held.write(TOKENS)
    vault_server.unseal()


def test_a_policy_that_lets_nothing_be_written_is_said_before_anything_is_asked(
    vault_server: VaultServer, place: Place
) -> None:
    vault_server.allow("read")
    with place().exclusive() as held, pytest.raises(Fatal, match=r"gives only read on secret/data.*Nothing was asked"):
        held.read()


def test_a_mount_that_is_not_there_is_said(place: Place) -> None:
    with place("nothing/here").exclusive() as held, pytest.raises(Fatal, match=r"on nothing/data/here/shop_api"):
        held.read()
    with pytest.raises(Fatal, match="is no folder of a KV store"):
        place("secret")


def test_a_secret_id_that_was_withdrawn_is_said(vault_server: VaultServer, place: Place) -> None:
    vault_server.withdraw_secret_id()
    with place().exclusive() as held, pytest.raises(Fatal, match=r"accepts the approle no more.*Make a new secret_id"):
        held.read()


@pytest.mark.usefixtures("secrets_backend")
def test_a_connection_comes_from_the_vault_and_a_sealed_one_is_not_a_missing_connection(
    vault_server: VaultServer, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", loader_url)
    vault_server.put("connections/shop_api", CONNECTION)
    found = endpoint("shop_api")
    assert (found.url, found.password) == (CONNECTION["host"], CONNECTION["password"])
    vault_server.seal()
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", json.dumps(CONNECTION | {"host": "http://127.0.0.1:1/of-long-ago"}))
    with pytest.raises(Retriable, match=r"the Airflow connection 'shop_api': the vault at http.* is sealed"):
        endpoint("shop_api")
    vault_server.unseal()
    vault_server.withdraw_secret_id()
    vault_server.end_tokens()
    with pytest.raises(Fatal, match=r"'shop_api': the vault at .* accepts the approle no more"):
        endpoint("shop_api")
