"""What a user may fill into the form of a replay, and how its tasks are wired."""

from __future__ import annotations

import runpy
from copy import deepcopy

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException

from onefold.settings import ROOT


@pytest.fixture(scope="module")
def dag() -> DAG:
    """The DAG file's `choose`, whose DAG it is."""
    return runpy.run_path(str(ROOT / "dags" / "replay.py"))["choose"].dag


def filled(dag: DAG, **values: object) -> dict[str, object]:
    given = deepcopy(dag.params)
    for name, value in values.items():
        given[name] = value
    return given.validate()


def test_a_reason_is_all_that_a_replay_needs(dag: DAG) -> None:
    assert filled(dag, reason="the suite was fixed") == {
        "reason": "the suite was fixed",
        **dict.fromkeys(
            ["system", "stream", "expectation", "quarantined_from", "quarantined_to", "mapping_version", "rows"], None
        ),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"reason": ""},
        {"reason": "fixed", "system": "shpo"},
        {"reason": "fixed", "quarantined_from": "yesterday"},
        {"reason": "fixed", "mapping_version": 0},
        {"reason": "fixed", "mapping_version": "one"},
        {"reason": "fixed", "rows": "all"},
    ],
)
def test_a_wrong_form_is_refused(dag: DAG, wrong: dict[str, object]) -> None:
    with pytest.raises((AirflowException, ValueError)):
        filled(dag, **wrong)


def test_the_proof_comes_last_and_also_when_a_stream_failed(dag: DAG) -> None:
    prove = dag.get_task("prove")
    assert prove.upstream_task_ids == {"choose", "replay"}
    assert prove.trigger_rule == "all_done_min_one_success"
    assert dag.get_task("replay").is_mapped
