"""What the gate would say of the rows that are there, with an edited suite or mapping; nothing of it is kept."""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from onefold.catalog.fields import fields_fingerprint
from onefold.change.project import read_project
from onefold.quality.gate import Finding, store_findings
from onefold.quality.suite import read_suite
from tests.change.files import SOURCES, expectation
from tests.change.world import Firms

WAITS = "expect_column_values_to_not_be_null(name)"


def _gated(firms: Firms) -> None:
    """As the newest load of the ERP has left it: judged by the suite and the fields of today, one row waits, one value
    is withheld."""
    load_id = firms.load("erp", {"7": {"name": "Zeta", "mail": "nonsense"}})
    project = read_project(firms.files.root)
    suite = read_suite("erp__partner", project.expectations)
    fields = project.catalog.systems["erp"].streams["partner"].fields
    with psycopg.connect(firms.loader, autocommit=True) as connection:
        findings = [Finding(at, each, True) for at, each in enumerate(suite.expectations, start=1)]
        store_findings(connection.cursor(), suite.name, findings, load_id=load_id)
        connection.execute(
            "update ops.load set fields_fingerprint = %s where load_id = %s", (fields_fingerprint(fields), load_id)
        )
        connection.execute(
            "update staging.erp__partner set _withheld = %s where _key = '7'", (Jsonb({"firm.email": {"reason": "x"}}),)
        )
        connection.execute(
            "insert into ops.quarantine (load_id, system, stream, _key, _hash, payload, _extracted_at, suite, reason,"
            " expectation) values (%s, 'erp', 'partner', '8', '', %s, now(), 'erp__partner', 'no name', %s)",
            (load_id, Jsonb({"id": "8", "city": "Opole"}), WAITS),
        )
    firms.conform()


def test_a_plan_says_which_rows_would_be_refused_pass_or_have_a_value_withheld(firms: Firms) -> None:
    _gated(firms)
    counted = firms.query("select count(*) from ops.quarantine"), firms.query("select count(*) from ops.gate_result")
    firms.files.suites["erp__partner"]["expectations"] = [
        expectation("be_null", "_unparsed"),
        expectation("be_null", "_unmapped"),
        expectation("match_regex", "id", regex="^[0-6]$"),
        expectation("match_regex", "city", regex="^[A-Z]"),
    ]
    firms.files.entity["attributes"]["email"]["sources"][SOURCES["erp"]]["transform"] = "text"
    firms.load("erp", {"6": {"name": "Eta", "city": "łomża"}})
    judged = {each.rows_are: each for each in firms.plan().says.judged if each.stream == "erp.partner"}
    assert judged["published"].refused == {"expect_column_values_to_match_regex(id)": 1}, "the key is essential"
    assert judged["published"].withheld == {"firm.city": (0, 1), "firm.credit": (0, 1), "firm.email": (1, 0)}
    assert (judged["waiting"].refused_rows, judged["waiting"].passing) == (1, {})
    firms.files.suites["erp__partner"]["expectations"].pop(2)
    judged = {each.rows_are: each for each in firms.plan().says.judged if each.stream == "erp.partner"}
    assert judged["waiting"].passing == {WAITS: 1}
    assert counted == (
        firms.query("select count(*) from ops.quarantine"),
        firms.query("select count(*) from ops.gate_result"),
    ), "nothing of it is kept"


def test_an_edit_of_a_field_alone_says_which_rows_would_be_judged_otherwise(firms: Firms) -> None:
    _gated(firms)
    as_it_is = {"firm.credit": (0, 1), "firm.email": (1, 1)}
    edits: list[tuple[str, dict[str, object], dict[str, int], dict[str, tuple[int, int]]]] = [
        ("state", {"type": "boolean", "required": False}, {}, as_it_is | {"firm.status": (0, 2)}),  # open, closed
        ("city", {"required": True}, {}, as_it_is | {"firm.city": (0, 1)}),
        (  # an identifier: the rows that lack it are refused as a whole, both of those above among them
            "nip",
            {"required": True},
            {"expect_column_values_to_be_null(_unparsed)": 2},
            {"firm.credit": (0, 0), "firm.email": (1, 0)},
        ),
    ]
    assert [each for each in firms.plan().says.judged if each.stream == "erp.partner"] == [], "nothing is edited"
    for field, settings, refused, withheld in edits:
        firms.files.edit_fields("erp", **{field: settings})
        plan = firms.plan()
        judged = {each.rows_are: each for each in plan.says.judged if each.stream == "erp.partner"}
        assert (judged["published"].refused, judged["published"].withheld) == (refused, withheld), field
        assert (plan.says.golden, plan.says.mapped) == (0, {}), "nothing is mapped again"
    firms.files.edit_fields("erp", note={"personal": "contact", "required": False})
    assert [each for each in firms.plan().says.judged if each.stream == "erp.partner"] == [], "no value is read by it"


def test_a_tightened_suite_of_an_entity_says_which_golden_records_it_would_hold_back_when_they_change(
    firms: Firms,
) -> None:
    suite = read_suite("firm", read_project(firms.files.root).expectations)
    (publish,) = firms.query("select max(publish_id) from ops.publish where state = 'published'")[0]
    with psycopg.connect(firms.loader, autocommit=True) as connection:
        findings = [Finding(at, each, True) for at, each in enumerate(suite.expectations, start=1)]
        store_findings(connection.cursor(), suite.name, findings, publish_id=publish)
    firms.files.suites["firm"]["expectations"].append(expectation("match_regex", "nip", regex="^[12]$"))
    plan = firms.plan()
    (judged,) = plan.says.judged
    assert (judged.stream, judged.rows_are, judged.rows) == ("firm", "golden", 4)
    assert judged.refused == {"expect_column_values_to_match_regex(nip)": 1}
    assert (plan.says.golden, plan.says.mapped) == (0, {}), "they stay published, and nothing is mapped again"


def test_a_field_that_no_record_has_must_be_loaded_again(firms: Firms) -> None:
    firms.conform()
    firms.query(
        "insert into ops.mapping (entity, attribute, system, stream, fields, transform, mapping_version, trust_rank,"
        " survivorship, personal_class, hash) select 'firm', 'status', 'erp', 'partner',"
        " '{name,nip,city,mail,limit,state,changed}', 'text', 1, 1, 'most_trusted', 'none', '' returning 1"
    )
    firms.files.entity["attributes"]["status"]["sources"][SOURCES["erp"]]["field"] = "note"
    assert firms.plan().says.load_again == ("erp.partner: note is in none of its 3 records",)
