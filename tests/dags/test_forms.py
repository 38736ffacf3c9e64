"""What Airflow's form makes of the parameters of all DAGs, by the rules of its FlexibleForm."""

from __future__ import annotations

import runpy
from collections.abc import Iterator

import pytest
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import AirflowException

from onefold.orchestration.forms import accepted_deletes, load_numbers
from onefold.settings import ROOT


def all_dags() -> Iterator[DAG]:
    for file in sorted((ROOT / "dags").glob("*.py")):
        found = (getattr(each, "dag", each) for each in runpy.run_path(str(file)).values())
        yield from {each.dag_id: each for each in found if isinstance(each, DAG)}.values()


DAGS = {dag.dag_id: dag for dag in all_dags() if not dag.dag_id.startswith("sync__") or dag.dag_id == "sync__nbp"}
FIELDS = {f"{dag.dag_id}.{name}": dag.params.get_param(name) for dag in DAGS.values() for name in dag.params}


def is_needed(field: Param) -> bool:
    return bool(field.schema.get("type")) and "null" not in types(field)


def types(field: Param) -> list[str]:
    named = field.schema.get("type", [])
    return [named] if isinstance(named, str) else list(named)


def test_every_dag_with_a_form_is_looked_at() -> None:
    assert {name.split(".")[0] for name in FIELDS} == {
        *("erase", "migrate", "reconcile", "replay", "rollback", "sync__nbp", "write_back__erp", "write_back__sap")
    }


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_opens_red_and_one_that_is_marked_as_needed_is(name: str) -> None:
    field = FIELDS[name]
    if is_needed(field):
        assert field.has_value
        for empty in ("", None):
            with pytest.raises((AirflowException, ValueError)):
                field.resolve(empty)
    else:
        assert field.resolve(None) is None
    if field.value or not is_needed(field):  # what the form opens with is right as it stands
        assert field.resolve() == field.value


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_is_an_editor_of_json_and_no_choice_is_called_null(name: str) -> None:
    schema = FIELDS[name].schema
    assert "object" not in types(FIELDS[name])
    if "array" in types(FIELDS[name]):
        assert schema["examples"] and schema["items"] == {"type": "string"}
    if None in schema.get("enum", []):
        assert schema["values_display"]["null"]


@pytest.mark.parametrize("text", ["41, 42", "41 42", "41\n42\n", " 41;42 "])
def test_loads_are_written_as_one_likes(text: str) -> None:
    assert load_numbers(FIELDS["rollback.loads"].resolve(text)) == (41, 42)


@pytest.mark.parametrize("text", ["41, x", "4.1", "-41", "0"])
def test_what_is_no_list_of_loads_is_refused(text: str) -> None:
    with pytest.raises((AirflowException, ValueError)):
        FIELDS["rollback.loads"].resolve(text)


def test_accepted_deletions_are_written_as_for_the_command() -> None:
    field = FIELDS["sync__nbp.accept_deletes"]
    assert accepted_deletes(field.resolve("customer=812, order = 3\nline=1")) == {
        "customer": 812,
        "order": 3,
        "line": 1,
    }
    for wrong in ("customer", "customer=0", "customer=812 order"):
        with pytest.raises((AirflowException, ValueError)):
            field.resolve(wrong)
