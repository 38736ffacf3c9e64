"""SAP's OData v2 wire contract, over real HTTP."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
import requests
from lxml import etree

from sandbox.process import Sandbox, running

Ask = Callable[..., requests.Response]
EXPAND = (
    "to_BusinessPartnerAddress,to_BusinessPartnerAddress/to_EmailAddress,"
    "to_BusinessPartnerAddress/to_PhoneNumber,to_BusinessPartnerTax"
)


def partners(ask: Ask, **options: str) -> list[dict[str, object]]:
    answer = ask(**options).json()["d"]
    rows = answer["results"]
    while "__next" in answer:
        answer = ask(answer["__next"]).json()["d"]
        rows += answer["results"]
    return rows


def truth_of(sandbox: Sandbox, system: str, stream: str) -> dict[str, bool]:
    records = sandbox.truth()["records"]
    return {r["key"]: r["deleted"] for r in records if (r["system"], r["stream"]) == (system, stream)}


def test_the_truth_and_the_collection_name_the_same_partners(unharmed: Sandbox, sap: Ask) -> None:
    unharmed.control("advance", deletions=5, new=5)
    truth = truth_of(unharmed, "sap", "business_partner")
    served = {row["BusinessPartner"]: row["IsMarkedForArchiving"] for row in partners(sap)}
    assert served == truth
    assert all(re.fullmatch(r"0\d{9}|1\d{6}", key) for key in served)
    assert {len(key) for key in served} == {7, 10}


def test_pages_go_on_by_skiptoken_and_count_is_a_string(tmp_path, unharmed: Sandbox) -> None:
    with running(tmp_path, 100, environment={"SANDBOX_SAP_PAGE": "20"}) as small:
        url = f"{small.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner"
        params = {"$format": "json", "$inlinecount": "allpages", "$filter": "BusinessPartner gt '0'"}
        seen, pages = [], 0
        response = requests.get(url, params=params, auth=("ONEFOLD", "sandbox-secret"), timeout=30)
        while True:
            answer, pages = response.json()["d"], pages + 1
            seen += [row["BusinessPartner"] for row in answer["results"]]
            if "__next" not in answer:
                break
            assert "$skiptoken=" in answer["__next"]
            response = requests.get(answer["__next"], auth=("ONEFOLD", "sandbox-secret"), timeout=30)
        assert isinstance(answer["__count"], str)
        assert pages > 2
        assert len(seen) == len(set(seen)) == int(answer["__count"])


def test_dates_times_metadata_and_empty_text_are_those_of_odata_2(sap: Ask) -> None:
    rows = partners(sap)
    assert any(row["LastChangeDate"] is None for row in rows)  # it was never changed
    for row in rows:
        at = row["CreationDate"] if row["LastChangeDate"] is None else row["LastChangeDate"]
        milliseconds = int(re.fullmatch(r"/Date\((\d+)\)/", at)[1])
        assert milliseconds % 86_400_000 == 0
        assert re.fullmatch(r"PT\d\dH\d\dM\d\dS", row["LastChangeTime"])
        assert row["OrganizationBPName3"] == ""
        assert row["__metadata"]["type"] == "API_BUSINESS_PARTNER.A_BusinessPartnerType"
        assert row["to_BusinessPartnerTax"]["__deferred"]["uri"].endswith("/to_BusinessPartnerTax")
        assert None not in (row | {"LastChangeDate": at, "BirthDate": at}).values()


def test_expanded_navigations_are_nested_results(sap: Ask) -> None:
    row = next(r for r in partners(sap, expand=EXPAND) if r["to_BusinessPartnerTax"]["results"])
    address = row["to_BusinessPartnerAddress"]["results"][0]
    assert address["BusinessPartner"] == row["BusinessPartner"]
    assert "results" in address["to_EmailAddress"]
    assert "results" in address["to_PhoneNumber"]
    assert row["to_BusinessPartnerTax"]["results"][0]["BPTaxType"] in ("PL0", "PL1", "PL3")


def test_select_decides_what_is_shown(sap: Ask) -> None:
    select = "BusinessPartner,to_BusinessPartnerTax/BPTaxNumber"
    row = partners(sap, select=select, expand="to_BusinessPartnerTax")[0]
    assert set(row) == {"__metadata", "BusinessPartner", "to_BusinessPartnerTax"}
    assert all(set(t) == {"__metadata", "BPTaxNumber"} for t in row["to_BusinessPartnerTax"]["results"])


def test_a_two_field_window_splits_the_partners_without_loss(sap: Ask) -> None:
    rows = partners(sap, orderby="LastChangeDate,LastChangeTime", filter="LastChangeDate ne null")
    middle = rows[len(rows) // 2]
    day = datetime.fromtimestamp(int(middle["LastChangeDate"][6:-2]) / 1000, UTC)
    date, time = f"datetime'{day:%Y-%m-%dT%H:%M:%S}'", f"time'{middle['LastChangeTime']}'"
    equal = f"LastChangeDate eq {date}"
    after = f"LastChangeDate gt {date} or ({equal} and LastChangeTime ge {time})"
    before = f"LastChangeDate lt {date} or ({equal} and LastChangeTime lt {time})"
    left = [row["BusinessPartner"] for row in partners(sap, filter=before)]
    right = [row["BusinessPartner"] for row in partners(sap, filter=after)]
    assert set(left) | set(right) == {row["BusinessPartner"] for row in rows}
    assert not set(left) & set(right)
    assert middle["BusinessPartner"] in right


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "Foo eq '1'"},
        {"filter": "substringof('A',SearchTerm1)"},
        {"filter": "LastChangeDate ge '2026-01-01'"},
        {"filter": "BusinessPartner eq '1' and"},
        {"filter": "(BusinessPartner eq '1'"},
        {"orderby": "Foo"},
        {"expand": "to_Nowhere"},
        {"select": "Foo"},
        {"top": "many"},
        {"skiptoken": "99-1"},
    ],
)
def test_what_it_does_not_understand_it_refuses(sap: Ask, options: dict[str, str]) -> None:
    response = sap(**options)
    assert response.status_code == 400
    assert response.json()["error"]["message"]["lang"] == "en"


def test_without_the_password_nobody_gets_in(unharmed: Sandbox) -> None:
    url = f"{unharmed.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner"
    assert requests.get(url, timeout=30).status_code == 401
    assert requests.get(url, auth=("ONEFOLD", "guess"), timeout=30).status_code == 401


def test_a_deletion_is_a_flag_and_moves_the_stamp(unharmed: Sandbox, sap: Ask) -> None:
    before = {row["BusinessPartner"]: row for row in partners(sap)}
    unharmed.control("advance", deletions=6)
    flagged = [
        row
        for row in partners(sap)
        if row["IsMarkedForArchiving"] and not before[row["BusinessPartner"]]["IsMarkedForArchiving"]
    ]
    assert flagged
    for row in flagged:
        assert row["LastChangeDate"] > (before[row["BusinessPartner"]]["LastChangeDate"] or "")


def test_the_metadata_names_every_property_that_is_served(sap: Ask) -> None:
    document = etree.fromstring(sap("$metadata").content)
    space = {"e": "http://schemas.microsoft.com/ado/2008/09/edm"}
    path = "//e:EntityType[@Name='A_BusinessPartnerType']/e:{}/@Name"
    known = {
        name
        for kind in ("Property", "NavigationProperty")
        for name in document.xpath(path.format(kind), namespaces=space)
    }
    assert set(partners(sap)[0]) - {"__metadata"} == known


def test_addresses_are_an_entity_set_of_their_own(sap: Ask) -> None:
    rows = sap("A_BusinessPartnerAddress").json()["d"]["results"]
    one = rows[0]
    key = f"BusinessPartner='{one['BusinessPartner']}',AddressID='{one['AddressID']}'"
    assert one["__metadata"]["uri"].endswith(f"/A_BusinessPartnerAddress({key})")
    filtered = sap("A_BusinessPartnerAddress", filter=f"CityName eq '{one['CityName']}'").json()["d"]["results"]
    assert {row["CityName"] for row in filtered} == {one["CityName"]}
    single = sap(f"A_BusinessPartner('{one['BusinessPartner']}')").json()["d"]
    assert single["BusinessPartner"] == one["BusinessPartner"]


ORDERS = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
PRODUCTS = "/sap_v4/sap/opu/odata4/sap/api_product/srvd_a2x/sap/product/0002"


def test_orders_show_their_items_and_one_that_was_deleted_is_gone(unharmed: Sandbox, sap: Ask) -> None:
    unharmed.control("advance", changes=20)
    orders = sap("A_SalesOrder", ORDERS, expand="to_Item").json()["d"]["results"]
    listed = {
        json.dumps([item["SalesOrder"], item["SalesOrderItem"]], separators=(",", ":"))
        for order in orders
        for item in order["to_Item"]["results"]
    }
    truth = truth_of(unharmed, "sap", "sales_order_item")
    assert listed == {key for key, deleted in truth.items() if not deleted}
    assert any(truth.values())
    alone = sap("A_SalesOrderItem", ORDERS).json()["d"]["results"]
    assert len(alone) == len(listed)
    assert {order["SalesOrder"] for order in orders} == truth_of(unharmed, "sap", "sales_order").keys()


def test_an_order_is_stamped_with_an_offset_and_asked_for_with_one(sap: Ask) -> None:
    orders = sap("A_SalesOrder", ORDERS, orderby="LastChangeDateTime").json()["d"]["results"]
    stamps = [int(re.fullmatch(r"/Date\((\d+)\+0000\)/", order["LastChangeDateTime"])[1]) for order in orders]
    assert stamps == sorted(stamps)
    middle = datetime.fromtimestamp(stamps[len(stamps) // 2] / 1000, UTC)
    literal = f"datetimeoffset'{middle:%Y-%m-%dT%H:%M:%SZ}'"
    later = sap("A_SalesOrder", ORDERS, filter=f"LastChangeDateTime ge {literal}").json()["d"]["results"]
    assert len(later) == sum(stamp >= middle.timestamp() * 1000 for stamp in stamps)
    wrong = sap("A_SalesOrder", ORDERS, filter=f"LastChangeDateTime ge {literal.replace('offset', '')}")
    assert wrong.status_code == 400
    document = etree.fromstring(sap("$metadata", ORDERS).content)
    assert "A_SalesOrderItemType" in document.xpath("//*[local-name()='EntityType']/@Name")


def test_version_4_has_tags_a_relative_next_link_and_plain_values(tmp_path) -> None:
    with running(tmp_path, 100, environment={"SANDBOX_SAP_PAGE": "30"}) as small:
        ask = partial(requests.get, auth=("ONEFOLD", "sandbox-secret"), timeout=30)
        params = {"$expand": "_ProductDescription", "$orderby": "LastChangeDateTime asc", "$count": "true"}
        page = ask(f"{small.url}{PRODUCTS}/Product", params=params).json()
        rows = page["value"]
        while "@odata.nextLink" in page:
            assert page["@odata.nextLink"].startswith("Product?")
            page = ask(f"{small.url}{PRODUCTS}/{page['@odata.nextLink']}").json()
            rows += page["value"]
        assert len(rows) == page["@odata.count"] == len(truth_of(small, "sap_v4", "product"))
        first = rows[0]
        assert first["@odata.etag"].startswith('W/"')
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", first["LastChangeDateTime"])
        assert isinstance(first["NetWeight"], float)
        assert [each["Language"] for each in first["_ProductDescription"]] == ["PL", "EN"]
        stamp = rows[len(rows) // 2]["LastChangeDateTime"].replace(".0000000", "")
        later = ask(f"{small.url}{PRODUCTS}/Product", params={"$filter": f"LastChangeDateTime gt {stamp}"}).json()
        assert 0 < len(later["value"]) < len(rows)
        refused = ask(f"{small.url}{PRODUCTS}/Product", params={"$filter": "Foo eq '1'"})
        assert isinstance(refused.json()["error"]["message"], str)
