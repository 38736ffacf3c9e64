"""A golden record is found, shown with where each value came from, and shows nothing personal."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from lxml import html
from psycopg.rows import dict_row

from onefold.catalog.entity import Party
from onefold.catalog.reader import Catalog
from onefold.conform import search_indexes
from onefold.console.pages import records
from onefold.platform.postgres import Postgres
from tests.conform.world import PARTNER, World, record
from tests.conftest import TEMPLATE
from tests.console.conftest import SAME_SITE, Ask
from tests.console.figures import shown
from tests.databases import copy_database, drop_database
from tests.roles import as_role

SECRET = "secret@alfa.example"


@pytest.fixture(scope="module")
def made(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One partner of three records, which two publishes have made; another of one record. The superuser's URL."""
    name = copy_database(postgres, TEMPLATE)
    url = postgres.url(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(tmp_path_factory.mktemp("home")))
        world = World(url, as_role(url, "onefold_loader"))
        alfa = {"tax_id_pl": "5251234567", "street": "Prosta 1", "postal_code": "00-950"}
        world.conform(
            record("court", "k", legal_name="Alfa 100% <b>Sp. z o.o.</b>", krs="0000012345", **alfa),
            record("crm", "c", legal_name="Alfa", email=SECRET, credit_limit="5", currency="PLN", **alfa),
            record("erp", "e", legal_name="ALFA", tax_id_pl="5251234567", email=SECRET),
            record("erp", "f", legal_name="Beta S.A.", tax_id_pl="7010000001"),
        )
        world.conform(record("crm", "c", legal_name="Alfa", email=SECRET, credit_limit="7", currency="PLN", **alfa))
        world.close()
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("create view staging.crm__account__plain as select 'c' as _key, 'Anna Maj' as crm_field")
        owner.execute("create view staging.erp__partner__plain as select 'e' as _key, 'ALFA Sp. z o.o.' as erp_field")
        owner.execute("grant select on staging.crm__account__plain, staging.erp__partner__plain to onefold_engineer")
    yield url
    drop_database(postgres, name)


@pytest.fixture
def warehouse_url(made: str) -> str:
    return made


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "read_catalog", lambda: Catalog(systems={}, entities={"partner": PARTNER}))


def golden(url: str, key: str = "court|extract|k") -> dict[str, object]:
    with psycopg.connect(url, row_factory=dict_row) as owner:
        found = owner.execute(
            "select p.* from conformed.partner p join conformed.partner_crosswalk using (partner_id) where record = %s",
            (key,),
        ).fetchone()
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text", ["alfa", "alfa 100%", "525-123-45-67", "525 123", "PROSTA 1", "sp. z  o.o.", "ālfa100"]
)
def test_a_record_is_found_by_a_part_of_a_name_or_number(made: str, console: Ask, text: str) -> None:
    page = console("analyst").post("/records", data={"text": text}).text
    (found,) = html.fromstring(page).xpath("//tr/@data-record")
    assert found == str(golden(made)["partner_id"]) and shown(page)["found"] == "1"


@pytest.mark.parametrize("text", [SECRET, "no such name", "10%5", "al_a", "' or true --"])
def test_nothing_personal_is_searched_and_no_sign_is_a_pattern(console: Ask, text: str) -> None:
    page = console("engineer").post("/records", data={"text": text}).text
    assert not html.fromstring(page).xpath("//tr/@data-record") and "Nothing is published" in page


def test_who_may_finds_what_is_personal_which_is_recorded_without_what_was_searched(made: str, console: Ask) -> None:
    given = {"text": "SECRET@alfa", "people": "true"}
    client = console("analyst", reads_people=True)
    page = html.fromstring(client.post("/records", data=given, headers=SAME_SITE).text)
    assert page.xpath("//tr/@data-record") == [str(golden(made)["partner_id"])]
    assert page.xpath("//input[@name='people']") and "people" not in console("analyst").get("/records").text
    for refused in (
        console("engineer").post("/records", data=given, headers=SAME_SITE),
        client.post("/records", data=given),
    ):
        assert refused.status_code == 403
    with psycopg.connect(made) as owner:
        events = owner.execute(
            "select payload, (select string_agg(text, '') from audit.statement) from audit.event"
            " where action like 'read.%' order by seq desc limit 2"
        ).fetchall()
    assert events[0][0] == {"form": "page", "rows": 1}
    assert events[1][0]["columns_known"] and '"conformed"."partner"' in events[1][1]
    assert "SECRET" not in str(events).upper()


def test_a_search_reads_an_index_that_a_publish_keeps(made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_indexes, "FEW", 0)
    with psycopg.connect(made) as owner:
        search_indexes.ensure_search_indexes(owner, PARTNER)
        for other in ("live", "pkey", "by_publish", "by_end"):
            owner.execute(f"drop index conformed.partner_version_{other}")  # until the rollback
        owner.execute("set local enable_seqscan = off")
        for search in ("partner_search", "partner_search_people"):
            owner.execute(f"select conformed.{search}('alfa', 20)")
            scans = owner.execute(
                f"select pg_stat_get_xact_numscans('conformed.partner_version_{search[8:]}'::regclass)"
            )
            assert scans.fetchone() == (1,), search
        owner.rollback()


def test_an_older_publish_that_is_shown_is_searched_as_it_was(made: str, console: Ask) -> None:
    with psycopg.connect(made, autocommit=True) as owner:
        ((newest,),) = owner.execute("select publish_id from ops.published")
        owner.execute("update ops.published set publish_id = publish_id - 1")
        try:
            page = console("analyst").post("/records", data={"text": "Alfa"}).text
        finally:
            owner.execute("update ops.published set publish_id = %s", (newest,))
    assert shown(page)["found"] == "1"


def test_few_records_have_no_index_and_are_all_read(made: str) -> None:
    with psycopg.connect(made) as owner:
        assert owner.execute("select to_regclass('conformed.partner_version_search')").fetchone() == (None,)
        assert owner.execute("select count(*) from conformed.partner_search('alfa', 20)").fetchone() == (1,)


def test_the_index_follows_the_catalogue_and_without_pg_trgm_every_record_is_read(
    made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note(owner: psycopg.Connection) -> object:
        return owner.execute(
            "select obj_description(to_regclass('conformed.partner_version_search'), 'pg_class')"
        ).fetchone()

    attributes = {name: each for name, each in PARTNER.attributes.items() if name != "regon"}
    monkeypatch.setattr(search_indexes, "FEW", 0)
    with psycopg.connect(made) as owner:
        search_indexes.ensure_search_indexes(owner, PARTNER)
        before = note(owner)
        search_indexes.ensure_search_indexes(owner, PARTNER)
        assert note(owner) == before != (None,)
        search_indexes.ensure_search_indexes(owner, PARTNER.model_copy(update={"attributes": attributes}))
        assert note(owner) not in (before, (None,))
        owner.execute("drop extension pg_trgm cascade")
        search_indexes.ensure_search_indexes(owner, PARTNER)
        assert note(owner) == (None,)
        assert owner.execute("select count(*) from conformed.partner_search('alfa', 20)").fetchone() == (1,)
        owner.rollback()


def test_what_is_searched_stands_in_no_address_and_must_have_three_letters(made: str, console: Ask) -> None:
    page = html.fromstring(console("engineer").post("/records", data={"text": "Alfa"}).text)
    assert not [link for link in page.xpath("//@href | //@action") if "alfa" in link.lower()]
    assert page.xpath("//form/@method") == ["post"]
    assert console("engineer").post("/records", data={"text": "a- "}).status_code == 400


def test_each_value_is_the_published_one_with_its_source(made: str, console: Ask) -> None:
    record_ = golden(made)
    page = console("engineer").get(f"/records/partner/{record_['partner_id']}").text
    assert SECRET not in page and "<b>Sp" not in page
    assert shown(page, "//h1")["label"] == record_["legal_name"]
    rows = html.fromstring(page).xpath("//tr/@data-attribute")
    assert set(rows) == set(record_["_provenance"])
    for name, source in record_["_provenance"].items():
        row = shown(page, f"//tr[@data-attribute='{name}']")
        assert row["value"] == ("personal" if name == "email" else str(record_[name]))
        assert row["from"] == f"{source['system']}.{source['stream']} {source['key']}"
        assert row["made"] == f"{source['field']} by {source['transform']}, mapping {source['mapping_version']}"
        assert row["load"] == str(source["load_id"])


def test_its_records_why_they_are_one_and_its_history_are_those_of_the_warehouse(made: str, console: Ask) -> None:
    id_ = golden(made)["partner_id"]
    page = html.fromstring(console("engineer").get(f"/records/partner/{id_}").text)
    with psycopg.connect(made) as owner:
        members = owner.execute(
            "select record from conformed.partner_crosswalk where partner_id = %s order by record", (id_,)
        ).fetchall()
        versions = owner.execute(
            "select _publish_id::text from conformed.partner_version where partner_id = %s order by 1 desc", (id_,)
        ).fetchall()
    assert page.xpath("//tr/@data-member") == [member for (member,) in members]
    assert page.xpath("//tr/@data-version") == [version for (version,) in versions]
    changes = page.xpath("//tr[@data-version]/td[4]")
    assert [" ".join(each.text_content().split()) for each in changes] == ["credit_limit: 5 → 7", ""]
    (shared,) = page.xpath("//li[@data-shared='tax_id_pl']")
    assert all(member in shared.text_content() for (member,) in members) and "525" not in shared.text_content()


def test_engineers_see_what_did_not_win_unless_it_is_said_of_a_person(
    made: str, console: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/records/partner/{golden(made)['partner_id']}"

    def others(attribute: str) -> list[str]:
        page = html.fromstring(console("engineer").get(address).text)
        found = page.xpath(f"//li[@data-other='{attribute}']")
        return [" ".join(each.text_content().split()) for each in found]

    crm, erp = "crm.account c: crm_field by text", "erp.partner e: erp_field by text"
    assert others("legal_name") == [f"Anna Maj {crm}", f"ALFA Sp. z o.o. {erp}"]
    hidden = "personal or empty"
    assert others("email") == [f"{hidden} {crm}", f"{hidden} court.extract k: court_field by text"]
    companies = PARTNER.model_copy(update={"parties": [Party(name="legal_name", attributes=["legal_name"])]})
    monkeypatch.setattr(records, "read_catalog", lambda: Catalog(systems={}, entities={"partner": companies}))
    assert others("legal_name") == [f"{hidden} {crm}", f"ALFA Sp. z o.o. {erp}"]
    for duty in ("analyst", "auditor"):
        page = console(duty).get(address).text
        assert "Anna Maj" not in page and "not for your duty" in page


def test_personal_values_are_shown_to_who_may_once_they_are_in_the_audit_chain(made: str, console: Ask) -> None:
    id_ = golden(made)["partner_id"]
    address = f"/records/partner/{id_}"
    for duty in ("analyst", "engineer"):
        client = console(duty, reads_people=True)
        assert SECRET not in client.get(address).text
        page = client.post(address, headers=SAME_SITE)
        assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
        assert shown(page.text, "//tr[@data-attribute='email']")["value"] == SECRET
        for refused in (console(duty).post(address, headers=SAME_SITE), client.post(address)):
            assert refused.status_code == 403 and SECRET not in refused.text
    assert client.post(f"/records/none/{id_}", headers=SAME_SITE).status_code == 404
    with psycopg.connect(made) as owner:
        events = owner.execute(
            "select action, payload from audit.event where payload ? 'golden_id' order by seq"
        ).fetchall()
    assert [action for action, _ in events] == ["read.begin", "read.end"] * 2
    for _, payload in events:
        assert (payload["entity"], payload["golden_id"]) == ("partner", str(id_)) and SECRET not in str(payload)


def test_what_there_is_not_is_said_to_be_not_there(made: str, console: Ask) -> None:
    id_ = golden(made)["partner_id"]
    for path in (f"none/{id_}", "partner/x", "partner/00000000-0000-0000-0000-000000000000"):
        assert console("engineer").get(f"/records/{path}").status_code == 404
