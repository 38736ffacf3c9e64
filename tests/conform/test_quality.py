"""Precision and recall, where the truth is known."""

import pytest

from onefold.conform.resolution_quality import pairwise_quality
from tests.conform.world import World, record


def test_precision_and_recall_over_pairs_of_records(world: World):
    world.conform(
        *(record("crm", key, tax_id_pl="1") for key in "abc"),
        record("crm", "d", tax_id_pl="2"),
        record("crm", "e", tax_id_pl="3"),
    )
    # Joined: ab, ac, bc. True: ab, de, and one pair with a record that never came.
    truth = {"a": "X", "b": "X", "c": "Y", "d": "Z", "e": "Z", "gone": "X"}
    found = pairwise_quality(
        world.connection, [("crm", "account", key, company) for key, company in truth.items()], "partner"
    )
    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == pytest.approx(1 / 2)
    assert (found.records, found.missing, found.companies) == (5, 1, 3)


def test_nothing_to_judge_is_not_wrong(world: World):
    found = pairwise_quality(world.connection, [], "partner")
    assert (found.precision, found.recall, found.records) == (1.0, 1.0, 0)


BRANDS = (
    "Ромашка",
    "Вектор",
    "Żółw",
    "Müller",
    "Ørsted",
    "Ελλάς",
    "トヨタ",
    "الأمل",
    "C++",
    "C#",
    "A & B",
    "AB",
    "Čedok",
    "Łąka",
)
FORMS = (
    ("{} Spółka z ograniczoną odpowiedzialnością w likwidacji", "{} SP. Z O.O."),
    ("ТОВ {}", "Товариство з обмеженою відповідальністю «{}»"),
    ("{} GmbH", "{} Gesellschaft mit beschränkter Haftung"),
    ("{} Limited", "{} LTD."),
    ("{} S.A.", "„{}” Spółka Akcyjna"),
    ("{} spol. s r.o.", "{} S.R.O."),
    ("株式会社{}", "㈱{}"),
)


def test_precision_and_recall_hold_for_names_of_any_script_at_a_few_addresses(world: World):
    records, truth = [], []
    for place, (brand, forms) in enumerate((brand, forms) for brand in BRANDS for forms in FORMS):
        # All the firms share five houses, so that only their names tell them apart.
        address = {"postal_code": "00-950", "street": f"ul. Długa {place % 5}"}
        for system, form in zip(("crm", "erp"), forms, strict=True):
            records.append(record(system, f"{system}{place}", legal_name=form.format(brand), **address))
            stream = {"crm": "account", "erp": "partner"}[system]
            truth.append((system, stream, f"{system}{place}", f"firm {place}"))
    world.conform(*records)
    found = pairwise_quality(world.connection, truth, "partner")
    assert found.precision >= 0.99
    assert found.recall >= 0.97
    assert found.companies == len(BRANDS) * len(FORMS)
