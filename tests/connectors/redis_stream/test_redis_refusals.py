"""What a Redis or its connection can be wrong about, each with what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import redis

from onefold.connectors.redis_stream import state
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.platform.postgres import free_port
from tests.connectors.queue_loads import queue_loads
from tests.connectors.redis_server import PASSWORD, RedisPrograms, running
from tests.connectors.redis_stream.conftest import Shop
from tests.platform.authority import Authority


def refused(shop: Shop, match: str, **endpoint: object) -> None:
    loads = replace(shop.loads, endpoint=replace(shop.loads.endpoint, **endpoint))
    with pytest.raises(Fatal, match=match) as error:
        loads.load(shop.system())
    assert PASSWORD not in str(error.value)


def test_a_stream_that_is_not_there_or_gone_says_so(shop: Shop) -> None:
    refused(shop, r"there is no stream orders:\w+ at the source.*request\.stream")
    shop.add(("a", 1))
    refused(shop, "there is no stream", extra={"db": "3"})
    shop.loads.load(shop.system())
    shop.client.delete(shop.key)
    refused(shop, r"there is no stream.*--anew order")
    assert shop.loads.published() == {"a": 1}


def test_a_key_of_another_type_says_so(shop: Shop) -> None:
    shop.client.set(shop.key, "text")
    refused(shop, r"the key is no stream.*request\.stream")


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"password": "another"}, "sign-in failed. Check login and password of the Airflow connection 't'"),
        ({"password": None}, "sign-in failed"),
        ({"login": "nobody"}, "sign-in failed"),
        ({"url": "https://127.0.0.1"}, "does not lead to a Redis. Give it the type redis"),
        ({"extra": {"db": "orders"}}, "no number of a database"),
    ],
)
def test_a_wrong_connection_says_what_to_change(shop: Shop, wrong: dict[str, object], match: str) -> None:
    refused(shop, match, **wrong)


def test_a_login_needs_three_rights_and_no_more_and_a_missing_one_is_named(shop: Shop) -> None:
    rights = [f"%R~{shop.key}", "+xinfo|stream", "+xrange", "+time"]
    shop.add(("a", 1))
    for lacking in rights:
        granted = [each for each in rights if each != lacking]
        shop.client.execute_command("ACL", "SETUSER", "reader", "reset", "on", f">{PASSWORD}", *granted)
        refused(shop, r"may not do that.*ACL SETUSER <login> %R~<stream> \+xinfo\|stream", login="reader")
    shop.client.execute_command("ACL", "SETUSER", "reader", "reset", "on", f">{PASSWORD}", *rights)
    replace(shop.loads, endpoint=replace(shop.loads.endpoint, login="reader")).load(shop.system())
    assert shop.loads.published() == {"a": 1}


def test_a_server_that_does_not_count_entries_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.add(("a", 1))
    known = state.state_of
    monkeypatch.setattr(state, "state_of", lambda *given: replace(known(*given), added=None))
    refused(shop, "Redis does from version 7 on")


def test_what_another_protocol_has_stored_is_refused(shop: Shop) -> None:
    shop.add(("a", 1))
    shop.loads.load(shop.system())
    shop.loads.execute("update ops.stream_checkpoint set checkpoint = '17'")
    refused(shop, "no position in a Redis stream")


def test_over_tls_the_certificate_is_checked(
    redis_programs: RedisPrograms, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    authority, port = Authority(tmp_path / "authority"), free_port()
    certificate, key = authority.certificate()
    tls = ["--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    tls += ["--tls-ca-cert-file", str(authority.file), "--tls-auth-clients", "no"]
    with running(tmp_path / "redis", redis_programs, None, *tls) as plain:
        endpoint = Endpoint(f"redis://127.0.0.1:{port}", None, PASSWORD)
        loads = queue_loads(warehouse_url, tmp_path, endpoint)
        shop = Shop("orders", plain, redis.Redis(port=plain, password=PASSWORD), redis_programs, loads)
        shop.add(("a", 1))
        trusted = {"ssl": "True", "ssl_ca_certs": str(authority.file)}
        refused(shop, "no TLS connection could be made", extra={"ssl": "true"})
        refused(shop, "no TLS connection could be made", extra=trusted, url=f"redis://localhost:{port}")
        replace(loads, endpoint=replace(endpoint, extra=trusted)).load(shop.system())
        assert shop.loads.published() == {"a": 1}
