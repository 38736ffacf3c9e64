"""What single registers say: asked now, held for a day, and given with its age when they are down."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter, rate
from onefold.serve.question import Answer, NoAnswer, Question
from onefold.serve.registers import Registers, rates_of_api
from tests.effort import TORTURE
from tests.roles import as_role
from tests.serve.conftest import Api, serve
from tests.serve.world import CATALOG

OF_KRS = ("extract", "history", "representation", "capital", "owners", "relations")


@pytest.mark.parametrize("part", OF_KRS)
def test_what_the_court_register_and_that_of_owners_say_is_given_and_held(api: Api, part: str) -> None:
    path = f"/v1/companies/krs/{api.legal_person.krs}/{part}"
    first, second = (api.http.get(path, headers=api.all) for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.json() == second.json()
    assert first.json()["stale"] is False


def test_history_says_what_each_entry_brought_and_took_away(api: Api) -> None:
    moved = next(each for each in api.published if each.krs and each.revision > 1)
    entries = api.http.get(f"/v1/companies/krs/{moved.krs}/history", headers=api.companies).json()["entries"]
    assert [each["entry"] for each in entries] == list(range(1, moved.revision + 1))
    (removed,) = [each for each in entries[-1]["changes"] if each["removed"]]
    assert removed["path"] == "dzial1.siedzibaIAdres.adres"
    assert removed["value"]["miejscowosc"] == moved.former_city.upper()


def test_who_people_are_is_shown_with_the_scope_people_only(api: Api) -> None:
    krs = api.legal_person.krs
    for part in ("extract", "history", "representation", "owners"):
        hidden = api.http.get(f"/v1/companies/krs/{krs}/{part}", headers=api.companies)
        shown = api.http.get(f"/v1/companies/krs/{krs}/{part}", headers=api.all)
        assert (hidden.json()["people_hidden"], shown.json()["people_hidden"]) == (True, False)
        assert "*****" not in hidden.text and "pesel" not in hidden.text
    names = [each["last_name"] for each in shown.json()["owners"] if each.get("last_name")]
    assert names and not any(name in hidden.text for name in names)
    assert all(each["ownership_reasons"] for each in hidden.json()["owners"] if "share_unit" in each)


def test_the_vat_entry_of_a_day_comes_with_the_registers_number_of_the_request(api: Api) -> None:
    payer = next(each for each in api.published if api.registers.world.shelf("white_list.subject").by_key.get(each.nip))
    first = api.http.get(f"/v1/vat/{payer.nip}?day=2026-06-01", headers=api.all).json()
    assert (first["outcome"], first["day"]) == ("found", "2026-06-01")
    assert first["request_id"] and first["accounts"]
    api.rows("update ops.api_answer set answered_at = answered_at - interval '30 days' where stream = 'day'")
    again = api.http.get(f"/v1/vat/{payer.nip}?day=2026-06-01", headers=api.companies).json()
    assert (again["request_id"], again["stale"]) == (first["request_id"], False), "of a day that is over it is final"
    assert again["accounts"] is None
    for account, assigned in ((first["accounts"][0], True), ("1" * 26, False)):
        body = {"account": account, "day": "2026-06-01"}
        answer = api.http.post(f"/v1/vat/{payer.nip}/account-checks", json=body, headers=api.companies)
        assert (answer.status_code, answer.json()["assigned"]) == (200, assigned)
    held = api.rows(
        "select lookup_key::text || content::text || people::text from ops.api_answer where stream = 'account'"
    )
    assert held and first["accounts"][0] not in str(held)


def test_the_report_of_statistics_poland_has_the_activities(api: Api) -> None:
    answer = api.http.get(f"/v1/regon/{api.legal_person.nip}", headers=api.companies).json()
    assert answer["entities"][0]["activities"][0]["code"] == "62.10.B"
    trader = api.http.get(f"/v1/regon/{api.sole_trader.nip}", headers=api.companies)
    assert api.sole_trader.name.upper() not in trader.text.upper()


def test_vies_says_whether_a_number_is_valid(api: Api) -> None:
    valid = {
        each.nip: api.http.get(f"/v1/vies/PL{each.nip}", headers=api.companies).json()["valid"]
        for each in api.published
    }
    assert valid == {each.nip: each.eu_vat for each in api.published}


def test_with_a_register_down_what_is_held_is_given_with_its_age_and_nothing_is_called_not_found(own_api: Api) -> None:
    krs, other = own_api.legal_person.krs, own_api.unpublished.krs
    held = {part: own_api.http.get(f"/v1/companies/krs/{krs}/{part}", headers=own_api.all).json() for part in OF_KRS}
    own_api.rows("update ops.api_answer set answered_at = answered_at - interval '2 days'")
    for system in ("krs", "crbr"):
        own_api.registers.fault(system, "status", code=503, times=-1)
    for part in OF_KRS:
        answer = own_api.http.get(f"/v1/companies/krs/{krs}/{part}", headers=own_api.all)
        assert (answer.status_code, answer.json()["stale"]) == (200, True)
        assert answer.json()["as_of"] < held[part]["as_of"]
        assert own_api.http.get(f"/v1/companies/krs/{other}/{part}", headers=own_api.all).status_code == 503


@pytest.mark.parametrize("count", [1_000 if TORTURE else 100])
def test_many_simultaneous_misses_of_several_processes_make_one_question(own_api: Api, count: int) -> None:
    krs = own_api.unpublished.krs
    own_api.registers.fault("krs", "delay", seconds=0.5, times=-1)
    began = threading.Barrier(2)

    def ask(http: object) -> set[int]:
        began.wait()
        with ThreadPoolExecutor(count // 2) as pool:
            paths = [f"/v1/companies/krs/{krs}"] * (count // 2)
            return {
                each.status_code for each in pool.map(lambda path: http.get(path, headers=own_api.companies), paths)
            }

    with serve(own_api.url, own_api.registers) as other, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, (own_api.http, other))) == [{200}, {200}]
    assert own_api.rows("select sum(requests) from ops.usage where system = 'krs'") == [(1,)]


def test_however_much_the_api_is_asked_half_of_a_days_quota_is_left_for_loads() -> None:
    loads = ["100/day@Europe/Warsaw"]
    assert rates_of_api(["2/s", *loads]) == ["2/s", *loads, "50/day@Europe/Warsaw"]
    limiter = MemoryLimiter(lambda: 1_790_000_000.0)
    of_loads, of_api = ([rate(text) for text in texts] for texts in (loads, rates_of_api(loads)))
    assert [limiter.reserve("white_list", of_api, 60) for _ in range(51)] == [0.0] * 50 + [None]
    assert [limiter.reserve("white_list", of_loads, 60) for _ in range(51)] == [0.0] * 50 + [None]
    other = MemoryLimiter(lambda: 1_790_000_000.0)
    assert [other.reserve("white_list", of_loads, 60) for _ in range(80)] == [0.0] * 80
    assert [other.reserve("white_list", of_api, 60) for _ in range(21)] == [0.0] * 20 + [None], "the quota is one"


def test_one_question_that_is_refused_keeps_no_other_from_being_asked_and_a_register_that_is_down_is_left_alone(
    api: Api,
) -> None:
    asked: list[str] = []

    def asker(question: Question, *_: object) -> Answer:
        asked.append(question.key)
        if question.key == "odd":
            raise Fatal("refused")
        if question.key == "down":
            raise Retriable("down")
        return Answer(question, "found", datetime.now(UTC))

    async def ask(keys: list[str]) -> list[str]:
        writer = as_role(api.url, "onefold_api_writer")
        endpoint = Endpoint("http://127.0.0.1:1")
        registers = Registers(CATALOG, {("krs", "extract"): asker}, lambda _: endpoint, writer, MemoryLimiter())
        told = []
        for key in keys:
            try:
                told.append((await registers.ask(Question("krs", "extract", key), "all")).outcome)
            except NoAnswer as error:
                told.append(str(error))
        registers.close()
        return told

    told = asyncio.run(ask(["odd", "good", "down", "another"]))
    assert told[:3] == ["krs does not answer", "found", "krs does not answer"]
    assert "left alone" in told[3]
    assert asked == ["odd", "good", "down"]
