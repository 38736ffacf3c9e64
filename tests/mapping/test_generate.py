"""The generator: the same files on every run, nothing stale, and clear words about a mistake."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from onefold.catalog.entity import Entity, Example, Rule
from onefold.catalog.reader import read_catalog
from onefold.catalog.stream import Stream
from onefold.commands.generate import generate as command
from onefold.errors import Fatal
from onefold.mapping.example import example_record
from onefold.mapping.generate import generate, generated_files
from onefold.mapping.generated import MARK
from onefold.mapping.lineage import InputField, column_lineage
from onefold.mapping.mapped_model import model_sql
from tests.mapping.catalogue import SHOP, person

SYSTEMS = {"shop": SHOP}
MODEL = "dbt_project/models/mapped/shop__person.sql"


def _wider(entity: Entity) -> Entity:
    return entity.model_copy(update={"version": entity.version + 1})


def test_what_is_committed_is_fresh() -> None:
    result = CliRunner().invoke(command, ["--check"])
    assert result.exit_code == 0, result.output
    assert result.output == "Everything that is generated is fresh.\n"


def test_every_file_says_what_it_is_generated_from() -> None:
    catalog = read_catalog()
    files = generated_files(catalog.entities, catalog.systems)
    assert "dbt_project/models/mapped/salesforce__customer.sql" in files
    assert all(MARK in text.partition("\n")[0] for text in files.values())


def test_the_same_catalogue_gives_the_same_files_in_whatever_order_it_was_read() -> None:
    catalog = read_catalog()
    names = list(catalog.systems)
    random.Random(1).shuffle(names)
    shuffled = {name: catalog.systems[name] for name in names}
    assert generated_files(catalog.entities, shuffled) == generated_files(catalog.entities, catalog.systems)


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    entities = {"person": person()}
    assert tmp_path / MODEL in generate(entities, SYSTEMS, check=False, root=tmp_path)
    assert generate(entities, SYSTEMS, check=False, root=tmp_path) == []


def test_check_names_what_is_stale_and_changes_nothing(tmp_path: Path) -> None:
    entities = {"person": person()}
    generate(entities, SYSTEMS, check=False, root=tmp_path)
    before = (tmp_path / MODEL).read_text("utf-8")
    stale = generate({"person": _wider(person())}, SYSTEMS, check=True, root=tmp_path)
    assert tmp_path / MODEL in stale
    assert (tmp_path / MODEL).read_text("utf-8") == before


def test_what_nothing_generates_any_more_is_removed_and_what_people_wrote_stays(tmp_path: Path) -> None:
    entities = {"person": person()}
    generate(entities, SYSTEMS, check=False, root=tmp_path)
    left_over = tmp_path / "dbt_project/models/mapped/gone__person.sql"
    left_over.write_text(f"-- {MARK}entities/person.yaml; do not edit\nselect 1\n", "utf-8")
    written = tmp_path / "dbt_project/models/mapped/by_hand.sql"
    written.write_text("select 1\n", "utf-8")
    assert generate(entities, SYSTEMS, check=False, root=tmp_path) == [left_over]
    assert written.exists() and not left_over.exists()


def test_streams_of_one_system_are_one_model() -> None:
    text = model_sql(person(), SHOP)
    assert text.count("union all") == 1
    assert "from user_records" in text and "from order_records" in text
    assert "null::text as tax_id_pl" in text  # orders do not say it
    assert "'it''s us'::text" in text


def test_a_transform_of_another_type_is_a_mistake_that_says_what_to_do() -> None:
    message = r"person.yaml: attribute name has type text, but transform numeric gives numeric; change the type or"
    with pytest.raises(Fatal, match=message):
        model_sql(person(transform="numeric"), SHOP)


def test_lineage_names_the_field_and_transform_of_every_column() -> None:
    assert column_lineage(person()) == {
        "name": (InputField("shop", "user", "name", "text"), InputField("shop", "order", "buyer", "text")),
        "tax_id_pl": (InputField("shop", "user", "nip", "nip"),),
        "origin": (InputField("shop", "user", None, "text"),),
    }


def test_every_attribute_has_a_meaning_and_every_transform_of_the_catalogue_examples() -> None:
    examples: dict[str, list[Example]] = {}
    for entity in read_catalog().entities.values():
        for name, attribute in entity.attributes.items():
            assert attribute.meaning.endswith("."), name
            for rule in attribute.sources.values():
                examples.setdefault(rule.transform, []).extend(rule.examples)
    assert {name for name, shown in examples.items() if not shown} == set()
    refusing = examples.keys() - {"text", "joined", "person_name", "company_name", "city", "street", "words", "numeric"}
    assert len(refusing) > 15


def test_each_attribute_of_the_customer_shows_what_is_understood_and_what_is_not() -> None:
    for name, attribute in read_catalog().entities["customer"].attributes.items():
        shown = [example for rule in attribute.sources.values() for example in rule.examples]
        assert any(example.then is not None for example in shown), name
        assert len(shown) >= 2, name


@pytest.mark.parametrize(
    ("path", "record"),
    [
        (None, {"f": "v"}),
        ("a.b", {"a": {"b": "v"}}),
        ("$.a[*].b", {"a": [{"b": "v"}]}),
        ("$.a[1].b", {"a": [{}, {"b": "v"}]}),
        ('$.a[*] ? (@.kind == "x" && @.main == true).b', {"a": [{"kind": "x", "main": True, "b": "v"}]}),
        ('$.a ? (@.n == 2)."b c"', {"a": [{"n": 2, "b c": "v"}]}),
    ],
)
def test_an_example_is_put_where_the_path_reads_it(path: str | None, record: dict[str, object]) -> None:
    fields = {"f": {"path": path}}
    stream = Stream.model_validate({"title": "t", "primary_key": ["f"], "fields": fields})
    rule = Rule.model_validate({"field": "f", "examples": [{"given": "v", "then": "v"}]})
    assert example_record(rule, stream, rule.examples[0]) == record


def test_a_path_that_cannot_be_turned_round_says_so() -> None:
    stream = Stream.model_validate({"title": "t", "primary_key": ["f"], "fields": {"f": {"path": "$.a.size()"}}})
    rule = Rule.model_validate({"field": "f", "examples": [{"given": "v", "then": "v"}]})
    with pytest.raises(Fatal, match="no example record can be made for the path"):
        example_record(rule, stream, rule.examples[0])
