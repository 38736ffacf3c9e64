"""What is written down of a load: every request is counted, and nothing secret or personal is in it."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace

import pytest

from onefold.catalog.fields import PersonalClass
from onefold.errors import OnefoldError
from onefold.http.attempt import Response
from onefold.http.sign_in.contract import Access, Signed
from onefold.http.wire import Request, Wire
from onefold.mapping.sql import field_sql
from tests.acceptance.bench import Bench, anew
from tests.acceptance.streams import Listed, each_sign_in

HIDDEN: tuple[PersonalClass, ...] = ("identity", "contact", "sensitive")


@each_sign_in("status")
def test_usage_counts_the_requests_that_the_source_counted(empty: Bench, listed: Listed):
    before = empty.requests(listed.system)
    empty.fault(listed, kind="status", code=503, times=2)
    load = empty.load(listed)
    counted = dict(empty.query("select status, requests from ops.usage where load_id = %s", load.load_id))
    assert sum(counted.values()) == empty.requests(listed.system) - before
    assert counted["status 503"] == 2
    (spent,) = empty.query(
        "select sum(bytes) > 0, sum(milliseconds) > 0 from ops.usage where load_id = %s", load.load_id
    )
    assert spent == (True, True)


def personal_values(bench: Bench, listed: Listed) -> set[str]:
    """What the stream has staged of persons, and every tax number; not what is as short as the number of a house."""
    fields = {name: field for name, field in listed.stream.fields.items() if field.personal in HIDDEN}
    columns = ", ".join(field_sql(name, field) for name, field in fields.items()) or "null"
    rows = bench.query(f"select {columns} from {listed.staging}")  # noqa: S608 - the catalogue's own names
    nips = {
        re.sub(r"\D", "", value)
        for source in (*listed.naming, listed)
        for name, field in source.stream.fields.items()
        if name.lower().startswith("nip")
        for (value,) in bench.query(f"select {field_sql(name, field)} from {source.staging}")  # noqa: S608
        if value
    }
    return {value for row in rows for value in row if value and len(value) > 5} | {
        nip for nip in nips if len(nip) == 10
    }


@each_sign_in("status", "html")
def test_nothing_secret_or_personal_is_in_logs_audit_lineage_or_errors(
    loaded: Bench, listed: Listed, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    headers: set[str] = set()
    exchange = Wire.exchange

    def noted(wire: Wire, request: Request, timeout: float, named: str, access: Access) -> Response:
        def signed(url: str) -> Signed:
            found = access.sign(url)
            headers.update(found.headers.values())
            return found

        return exchange(wire, request, timeout, named, replace(access, sign=signed))

    monkeypatch.setattr(Wire, "exchange", noted)
    caplog.set_level(logging.DEBUG, "onefold")
    caplog.set_level(logging.DEBUG, "urllib3")
    personal = personal_values(loaded, listed)
    one = next((value for value in sorted(personal) if re.fullmatch(r"\d{10}", value)), "5270103391")
    secret = listed.endpoint(loaded.sandbox).password or ""
    told = f'{{"message": "no partner {one} of {secret}, write to jan.kowalski@firma.example.pl, +48 22 123 45 67"}}'
    loaded.let_answers_age(listed)
    loaded.fault(listed, kind="status", code=503, body=told, times=2)
    loaded.fault(listed, kind="html", after=2)
    loaded.load(listed, requested=anew(listed))
    loaded.let_answers_age(listed)
    loaded.fault(listed, kind="status", code=400, body=told, times=-1)
    with pytest.raises(OnefoldError):
        loaded.load(listed, requested=anew(listed))
    logged = caplog.text
    written = json.dumps(
        [
            loaded.query("select row_to_json(e) from audit.event e"),
            loaded.query("select row_to_json(e) from lineage.event e"),
            loaded.query("select row_to_json(l) from ops.load l"),
            loaded.query("select row_to_json(u) from ops.usage u"),
        ],
        ensure_ascii=False,
    )
    secrets = {part for value in headers for part in value.split() if len(part) > 6} | {secret} - {""}
    assert "attempt 1 of" in logged
    assert "load.publish" in written and "RUNNING" in written and "400" in written
    assert len(personal) > 20 or "personal data" in listed.case.cannot_have
    for place, text in {"the log": logged, "what is written down": written}.items():
        found = {
            value for value in secrets | personal | {one, "jan.kowalski@firma.example.pl", "123 45 67"} if value in text
        }
        assert not found, f"{place} shows {len(found)} of them"
