"""OData services as targets, against SAP's stand-ins: what each outcome says is true at the target."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from onefold.connectors.outbound.contract import Change, Result
from onefold.connectors.outbound.odata.entity import deep, field_of, value_at
from onefold.connectors.outbound.odata.values import from_json, in_json, literal
from onefold.errors import Fatal
from onefold.http.failure import Refused
from tests.connectors.outbound.targets import SECRET, WRONG, Target, listed, wrong_cases
from tests.connectors.running_sandbox import Connected, Sandbox, running

PARTNERS = "/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner"
NIP = "to_BusinessPartnerTax[BPTaxType=PL1]/BPTaxNumber"
PRODUCTS = "/sap/opu/odata4/sap/api_product/srvd_a2x/sap/product/0002/Product"
references = (f"REF{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), 60, {**os.environ}) as sandbox:
        yield sandbox


def partners(sandbox: Sandbox) -> Target:
    kinds = {
        "OrganizationBPName1": "text", "BusinessPartnerIsBlocked": "boolean", "BirthDate": "date",
        "SearchTerm2": "text",
        "to_BusinessPartnerAddress/CityName": "text",
        "to_BusinessPartnerAddress/to_EmailAddress/EmailAddress": "text",
        NIP: "text",
    }  # fmt: skip

    def count(reference: str) -> int:
        condition = f"BusinessPartnerIDByExtSystem eq '{reference}'"
        found = listed(f"{sandbox.url}{PARTNERS}", "ONEFOLD", **{"$format": "json", "$filter": condition})
        return len(found["d"]["results"])

    return Target(
        sandbox, "sap", "odata_v2", PARTNERS, "BusinessPartner", "BusinessPartnerIDByExtSystem", kinds, count,
        "ONEFOLD",
        settings={"params": {"sap-client": "100"}, "sets": {"to_BusinessPartnerTax": "A_BusinessPartnerTaxNumber"}},
    )  # fmt: skip


def products(sandbox: Sandbox) -> Target:
    kinds = {"ProductGroup": "text", "NetWeight": "number", "IsMarkedForDeletion": "boolean"}

    def count(reference: str) -> int:
        condition = f"ProductOldID eq '{reference}'"
        found = listed(f"{sandbox.url}/sap_v4{PRODUCTS}", "ONEFOLD", **{"$filter": condition})
        return len(found["value"])

    return Target(
        sandbox, "sap_v4", "odata_v4", PRODUCTS, "Product", "ProductOldID", kinds, count, "ONEFOLD", below="/sap_v4"
    )


NAME = {"odata_v2": "OrganizationBPName1", "odata_v4": "ProductGroup"}


@pytest.fixture(params=[partners, products], ids=["v2", "v4"])
def target(sandbox: Sandbox, request: pytest.FixtureRequest) -> Target:
    return request.param(sandbox)


def create(target: Target, name: str = "Nowa", **fields: object) -> Change:
    reference = next(references)
    return Change(f"id of {reference}", "create", reference, None, {NAME[target.protocol]: name, **fields})


@pytest.mark.parametrize("wrong", wrong_cases())
@pytest.mark.parametrize(
    "target",
    [pytest.param(partners, id="v2"), pytest.param(products, id="v4", marks=pytest.mark.full_matrix)],
    indirect=True,
)
def test_what_is_said_of_a_create_whose_answer_goes_wrong_is_true(target: Target, wrong: str):
    with target.open() as outbound:
        target.write(outbound, create(target))  # so that the token is there
        target.create_in_vain(outbound, create(target), WRONG[wrong], "POST")


def test_nothing_is_written_where_nobody_answers(target: Target):
    target.create_where_nobody_is(create(target))


def test_a_create_gives_key_and_version_and_is_found_by_reference_key_and_value(target: Target):
    change = create(target, "O'Brien")
    with target.open() as outbound:
        outcome = target.write(outbound, change)
        assert outcome.result is Result.DONE
        (current,) = outbound.find([change.reference, "NOBODYS"])
        assert (current.key, current.version, current.reference) == (outcome.key, outcome.version, change.reference)
        assert outbound.read([outcome.key, "77"]) == [current]
        assert outbound.match(NAME[target.protocol], "O'Brien") == [current]


def test_an_update_goes_with_the_version_that_was_read_and_is_moved_after_somebody_elses(target: Target):
    name = NAME[target.protocol]
    with target.open() as outbound:
        made = target.write(outbound, create(target))
        reference = outbound.read([made.key])[0].reference
        update = Change("u", "update", reference, made.key, {name: "Nowsza"}, made.version)
        assert target.write(outbound, update).result is Result.DONE
        assert target.write(outbound, dataclasses.replace(update, fields={name: "Stara"})).result is Result.MOVED
        assert target.write(outbound, dataclasses.replace(update, kind="delete")).result is Result.MOVED
        (current,) = outbound.read([made.key])
        assert current.fields[name] == "Nowsza"
        gone = dataclasses.replace(update, key="77", version=current.version)
        assert target.write(outbound, gone).result is Result.MOVED


def test_a_record_of_the_world_is_changed_and_its_ordinary_sync_reads_the_echo(sandbox: Sandbox):
    target, sync = partners(sandbox), Connected(sandbox, "sap", "business_partner", "ONEFOLD", sandbox.url)
    with target.open() as outbound:
        before = {record.key for page in sync.pages() for record in page.records}
        made = target.write(
            outbound,
            create(target, "Echo", **{"to_BusinessPartnerAddress/CityName": "Łódź", NIP: "5260001246"}),
        )
        theirs = outbound.read([next(iter(before - {made.key}))])[0]
        update = Change("w", "update", "REFW", theirs.key, {"OrganizationBPName1": "Zmieniona"}, theirs.version)
        assert target.write(outbound, update).result is Result.DONE
        after = {record.key: record.payload.decode() for page in sync.pages() for record in page.records}
        assert set(after) == before | {made.key}
        assert '"Echo"' in after[made.key] and "Łódź" in after[made.key] and "5260001246" in after[made.key]
        assert '"Zmieniona"' in after[theirs.key]
        assert [each.key for each in outbound.match(NIP, "5260001246")] == [made.key]


def test_what_belongs_to_a_record_is_created_with_it_and_read_back(sandbox: Sandbox):
    target = partners(sandbox)
    fields = {
        "OrganizationBPName1": "Źółć „Ł” 😀",
        "BusinessPartnerIsBlocked": True,
        "BirthDate": date(1969, 12, 31),
        "SearchTerm2": "",
        "to_BusinessPartnerAddress/CityName": "Łódź",
        "to_BusinessPartnerAddress/to_EmailAddress/EmailAddress": "a@example.com",
        NIP: "5260001253",
    }
    change = Change("deep", "create", next(references), None, fields)
    with target.open() as outbound:
        assert target.write(outbound, change).result is Result.DONE
        (current,) = outbound.find([change.reference])
        assert current.fields == fields
        city = Change(
            "c",
            "update",
            change.reference,
            current.key,
            {"to_BusinessPartnerAddress/CityName": "Kraków"},
            current.version,
        )
        refused = target.write(outbound, city)
        assert refused.result is Result.REFUSED and "another entity" in refused.reason
        same = dataclasses.replace(city, fields=fields)
        assert target.write(outbound, same).result is Result.DONE


def test_a_token_of_another_session_is_fetched_anew_once_and_the_write_is_sent_again(target: Target):
    with target.open() as outbound:
        target.write(outbound, create(target))
        outbound._http._wire._session.cookies.clear()  # as a balancer would that leads to another server
        before = len(target.attempts)
        change = create(target)
        assert target.write(outbound, change).result is Result.DONE
        assert [each.status for each in target.attempts[before:]] == [403, 200, 201]
        assert target.count(change.reference) == 1


def test_a_key_that_exists_is_a_500_and_so_ambiguous_and_found_to_be_another_record(target: Target):
    with target.open() as outbound:
        made = target.write(outbound, create(target))
        change = create(target, **{target.key: made.key})
        assert target.write(outbound, change).result is Result.AMBIGUOUS
        assert outbound.find([change.reference]) == []


def test_the_same_create_twice_makes_two_records_and_both_are_found(target: Target):
    change = create(target)
    with target.open() as outbound:
        assert [target.write(outbound, change).result for _ in range(2)] == [Result.DONE] * 2
        assert len(outbound.find([change.reference])) == 2 == target.count(change.reference)


def test_a_record_is_not_changed_without_its_version(target: Target):
    with target.open() as outbound:
        made = target.write(outbound, create(target))
        change = Change("u", "update", "X", made.key, {})
        assert target.write(outbound, change).result is Result.REFUSED
        # and the target would not have it either
        with pytest.raises(Refused, match="428"):
            outbound._http.send_once(
                "PATCH",
                outbound._address(change),
                parse=lambda r: r,
                body="{}",
                headers={"X-CSRF-Token": outbound._token},
            )


def test_v4_numbers_keep_their_digits(sandbox: Sandbox):
    target = products(sandbox)
    change = create(target, NetWeight=Decimal("12345678901.120"))
    with target.open() as outbound:
        assert target.write(outbound, change).result is Result.DONE
        assert outbound.find([change.reference])[0].fields["NetWeight"] == Decimal("12345678901.120")


def test_values_are_written_as_each_version_has_them():
    at = datetime(2026, 7, 1, 12, 0, 0, 120_000, UTC)
    assert in_json(at, 2) == "/Date(1782907200120+0000)/" and in_json(at, 4) == "2026-07-01T12:00:00.120000Z"
    assert in_json(date(1969, 12, 31), 2) == "/Date(-86400000)/" and in_json(date(2026, 1, 2), 4) == "2026-01-02"
    assert in_json(Decimal("1.50"), 2) == "1.50" and in_json(Decimal("1.50"), 4) == Decimal("1.50")
    with pytest.raises(ValueError, match="milliseconds"):
        in_json(at.replace(microsecond=1), 2)
    assert (
        from_json("/Date(1782907200120+0000)/", "timestamp") == at == from_json("2026-07-01T12:00:00.12Z", "timestamp")
    )
    assert from_json("/Date(-86400000)/", "date") == date(1969, 12, 31)
    assert [from_json(value, "text") for value in ("", None, "x")] == ["", None, "x"]
    assert literal("O'B", "text", 2) == "'O''B'" and literal(Decimal("1.5"), "number", 2) == "1.5M"
    assert literal("6f9619ff-8b86-d011-b42d-00cf4fc964ff", "uuid", 2).startswith("guid'6f")


def test_a_fields_path_leads_to_the_entity_that_is_meant():
    paths = {
        "to_Tax[Type=A]/No": "1",
        "to_Tax[Type=B]/No": "2",
        "to_Adr/to_Mail/Mail": "m",
        "to_Adr/City": "c",
        "Name": "n",
    }
    body = deep(paths)
    assert body == {
        "to_Tax": [{"Type": "A", "No": "1"}, {"Type": "B", "No": "2"}],
        "to_Adr": [{"to_Mail": [{"Mail": "m"}], "City": "c"}],
        "Name": "n",
    }
    assert {path: value_at(body, path) for path in paths} == paths
    with pytest.raises(Fatal, match="names no property"):
        field_of("a b")


def test_no_value_of_a_record_stands_in_a_message(target: Target):
    with target.open() as outbound:
        refused = target.write(outbound, create(target, SECRET * 20))
    assert refused.result is Result.REFUSED and refused.reason
