"""A BAPI as a web service: who is let in, and errors that come as a row of an answer with status 200."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from sandbox.stand_ins import connections
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import SYSTEMS, Asker, Result, Sandbox, client, read_all, running

SAP = SYSTEMS["sap_service"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), companies=60, systems=("sap_service",)) as sandbox:
        yield sandbox


def reading(sandbox: Sandbox, system=SAP, **other: object) -> Result:
    """What reading the cost centers gives; `other` is otherwise in the connection."""
    given = connections(sandbox.url)["sap_service"]
    endpoint = replace(Endpoint(given["host"], given["login"], given["password"], given["extra"]), **other)
    with client(system, endpoint) as http:
        return read_all(reader_of(system, "cost_center", endpoint, http, Asker([])))


def test_name_and_password_in_the_message_let_us_in_and_the_tables_that_we_send_come_back_filled(sandbox):
    result = reading(sandbox)
    assert len(result.records) == 60
    assert result.records[0].key == '["1000","0000001000"]'
    assert [part.name for part in result.pages[-1].ended] == [""]


def test_a_wrong_password_is_fatal_and_not_shown(sandbox):
    with pytest.raises(Fatal, match=r"FailedAuthentication.*Airflow connection 'sap_service'") as raised:
        reading(sandbox, password="not-the-password")
    assert "not-the-password" not in str(raised.value)


@pytest.mark.parametrize("lacking", [{"login": None}, {"password": None}])
def test_a_connection_without_login_or_password_is_fatal_before_anything_is_sent(sandbox, lacking):
    with pytest.raises(Fatal, match=f"has no {next(iter(lacking))}, and auth username_token needs it"):
        reading(sandbox, **lacking)


def test_an_error_in_the_table_of_messages_fails_the_load(sandbox):
    stream = SAP.streams["cost_center"]
    request = stream.request.model_copy(update={"params": {"CONTROLLINGAREA": "9999"}})
    streams = {"cost_center": stream.model_copy(update={"request": request})}
    with pytest.raises(Fatal, match=r"failed with KM 025 \(\d+ bytes, hash"):
        reading(sandbox, SAP.model_copy(update={"streams": streams}))


def test_a_contract_that_is_not_there_is_fatal(sandbox):
    with pytest.raises(Fatal, match=r"catalog/wsdl/nowhere\.wsdl cannot be used"):
        reading(sandbox, SAP.model_copy(update={"wsdl": "nowhere.wsdl"}))
