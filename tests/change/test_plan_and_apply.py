"""A plan says what an edit of the catalogue makes of the golden records, and apply makes just that."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from onefold.catalog.yaml_file import CatalogError
from onefold.change.ledger import Plan
from onefold.change.project import read_project
from onefold.change.text import plan_page
from onefold.conform.report import ConformReport
from tests.change.edits import EDITS, add_attribute, change_identity, change_transform
from tests.change.files import attribute
from tests.change.world import SOURCES, Firms, Golden

NAMES = ("Alfa", "ALFA SP. Z O.O.", "Beta S.A.", "Gamma", "Delta", "")
CITIES = ("łódź", "Opole", "RADOM", "R", "")
LIMITS = ("3", "10.50", "7,25", "x1", "")
KINDS = ("filled", "emptied", "changed")


def test_an_edit_maps_the_streams_that_it_touches_alone(firms: Firms) -> None:
    firms.files.entity["attributes"]["city"]["sources"][SOURCES["crm"]]["transform"] = "text"
    before = firms.golden()
    plan = firms.plan()
    assert firms.golden() == before, "nothing published is touched"
    assert plan.content["mapped"] == {"firm:crm.account": 4}
    untouched = firms.query("select _record, xmin::text from mapped.erp__firm order by 1")
    _apply_and_compare(firms, plan, before)
    assert firms.query("select _record, xmin::text from mapped.erp__firm order by 1") == untouched


@pytest.mark.parametrize("edit", [change_identity, add_attribute, change_transform])
def test_what_is_applied_is_what_was_planned(firms: Firms, edit: object) -> None:
    _edit_plan_apply(firms, random.Random(7), edit)


def test_each_kind_of_edit_is_noticed(firms: Firms) -> None:
    """What the plan does not map or resolve again it would not show."""
    kept = firms.files.keep()
    attributes = firms.files.entity["attributes"]
    edits = {
        "trust of all": lambda entity: entity.update(trust=["erp", "crm", "court"]),
        "trust of one": lambda entity: entity["attributes"]["email"].update(trust=["crm", "erp"]),
        "survivorship": lambda entity: entity["attributes"]["legal_name"].update(survivorship="latest"),
        "living": lambda entity: entity.update(living={"attribute": "status", "ended": ["open"]}),
        "identity": lambda entity: entity["identity"].update(strong=["regon"]),
        "no source": lambda entity: [each["sources"].pop("erp.partner", None) for each in attributes.values()],
    }
    noticed = {}
    for name, edit in edits.items():
        firms.files.come_back(kept)
        attributes = firms.files.entity["attributes"]
        edit(firms.files.entity)
        says = firms.plan().says
        noticed[name] = (says.golden > 0, [part for part in says.parts if part != "marts"])
    without = {name for name, (changes, _) in noticed.items() if not changes}
    assert without <= {"living", "survivorship"}, "here no value depends on these"
    assert all("firm:resolution" in parts for _, parts in noticed.values()), noticed


def test_the_page_counts_the_samples_that_it_shows(firms: Firms) -> None:
    firms.files.entity["attributes"]["note"] = attribute(field="note", of="crm")
    plan = firms.plan()
    assert (plan.says.golden, plan.says.entities[0].same_values) == (4, 2), "two records have no note"
    shown = plan_page(firms.connection, plan).partition("Changed (4, 2 of them):\n")[2].partition("\n\n")[0]
    assert sorted(line.partition(": ")[2] for line in shown.splitlines()) == ["note ∅ → three", "note ∅ → two"]


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(5))
def test_fifty_random_edits_in_a_row_are_applied_as_planned_row_by_row(firms: Firms, seed: int) -> None:
    """Ten a seed, each on what the ones before have left, with loads between them."""
    chance = random.Random(seed)
    for system in SOURCES:  # so that each kind of edit matters
        firms.load(system, _records(chance, 12))
    firms.conform()
    done, kinds = 0, itertools.cycle(chance.sample(EDITS, len(EDITS)))
    while done < 10:
        done += _edit_plan_apply(firms, chance, next(kinds))


def _edit_plan_apply(firms: Firms, chance: random.Random, edit: object) -> bool:
    """Edit, plan, apply and compare; returns False where the edit makes no catalogue."""
    kept = firms.files.keep()
    said = edit(firms.files, chance)
    firms.files.write()
    try:
        read_project(firms.files.root)
    except CatalogError:
        firms.files.come_back(kept)
        return False
    if chance.random() < 0.5:
        for system in chance.sample(list(SOURCES), 2):
            firms.load(system, _records(chance))
    before = firms.golden()
    plan = firms.plan()
    assert firms.golden() == before, said
    _apply_and_compare(firms, plan, before, said)
    return True


def _records(chance: random.Random, most: int = 5) -> dict[str, dict[str, object] | None]:
    return {
        chance.choice("abcdefgh123k"): None
        if chance.random() < 0.1
        else {
            "name": chance.choice(NAMES),
            "nip": chance.choice(["1", "2", "3", ""]),
            "regon": chance.choice(["44", "", ""]),
            "city": chance.choice(CITIES),
            "mail": chance.choice(["a@b.pl", "c@d.pl", ""]),
            "limit": chance.choice(LIMITS),
            "state": chance.choice(["open", "closed", ""]),
            "changed": chance.choice(["2026-01-02T00:00:00Z", "2026-02-03T00:00:00Z", ""]),
            "note": chance.choice(["n1", ""]),
        }
        for _ in range(chance.randint(1, most))
    }


def _apply_and_compare(firms: Firms, plan: Plan, before: Golden, said: str = "") -> None:
    """Apply, and compare what is published then with the plan by queries of our own."""
    planned = firms.query(
        "select golden_id::text, change, digest from ops.plan_record where publish_id = %s", plan.dry_run_publish_id
    )
    kinds = firms.query(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'conformed' and table_name = 'firm_version'"
    )
    report = firms.apply(plan)
    after = firms.golden()
    records = {(each, change, "" if change == "ended" else digest) for each, change, digest in planned}
    assert {each for each in records if each[1] != "held_back"} == _became(before, after, report), said
    held = firms.query("select golden_id::text from ops.held_back where entity = 'firm'")
    if report.publish_id:
        assert {each for each, change, _ in planned if change == "held_back"} == {each for (each,) in held}, said
    counted = {name: counts for each in plan.content["entities"] for name, counts in each["attributes"].items()}
    same = set(kinds) & set(
        firms.query(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = 'conformed' and table_name = 'firm_version'"
        )
    )
    names = {name for name, _ in same if not name.startswith("_") and name not in ("firm_id", "source_of_truth")}
    expected = _attributes(before, after, names)
    assert {name: counts for name, counts in counted.items() if name in names} == expected, said
    assert firms.query("select state from ops.plan where plan_id = %s", plan.plan_id) == [("applied",)]
    (anew,) = firms.everything_anew().entities
    assert (anew.new, anew.changed, anew.merged, anew.ended) == (0, 0, 0, 0), f"{said}: something was not mapped again"


def _became(before: Golden, after: Golden, report: ConformReport) -> set[tuple[str, str, str]]:
    """What the publish did to each golden record, with the digest that a plan keeps."""
    found = {
        (golden_id, "changed" if golden_id in before else "new", str(row["_hash"]))
        for golden_id, row in after.items()
        if row["_publish_id"] == report.publish_id
    }
    return found | {(golden_id, "ended", "") for golden_id in before.keys() - after.keys()}


def _attributes(before: Golden, after: Golden, names: set[str]) -> dict[str, dict[str, int]]:
    counts = {name: Counter(dict.fromkeys(KINDS, 0)) for name in names}
    for golden_id in before.keys() & after.keys():
        for name in names:
            old, new = before[golden_id][name], after[golden_id][name]
            if old != new:
                counts[name]["filled" if old is None else "emptied" if new is None else "changed"] += 1
    return {name: dict(each) for name, each in counts.items() if any(each.values())}
