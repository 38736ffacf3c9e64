"""A task, or a command, that died and is tried again goes on with the erasure that it has recorded."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from onefold.erasure import ledger, lifecycle
from onefold.erasure.case_file import open_case
from onefold.erasure.request import ErasureRequest
from onefold.errors import Fatal
from onefold.privacy.values import email
from tests.approvals import answer, asked
from tests.erasure.office import EMAIL, OTHER, Office, adam, zofia
from tests.torture.loader import Forked, said_of

ROWS = "select basis, state from ops.erasure order by erasure_id"
QUESTIONS = "select subject from ops.approval order by approval_id"


def killed_at(step: str, do: Callable[[], object]) -> None:
    """Do this in a process that is killed when it comes to a function of the lifecycle."""

    def dies() -> object:
        setattr(lifecycle, step, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        return do()

    process = Forked(lambda _: said_of(dies))
    assert process.wait() and process.end == "killed", process.end


@pytest.fixture
def planned(filled: Office) -> Callable[[], int]:
    """The task `plan` of one run: tried as often as it is called."""
    run, case = filled.run(), open_case(frozenset([email(EMAIL)]))
    request = ErasureRequest(case.name, "Art. 17")
    return lambda: lifecycle.plan_erasure(filled.url, filled.catalog, request, run)[0]


def test_a_plan_whose_task_was_killed_after_its_commit_is_found_by_the_next_attempt(
    filled: Office, planned: Callable[[], int]
) -> None:
    killed_at("after_commit", planned)
    assert filled.query(ROWS) == [("Art. 17", "planned")]
    number = planned()
    assert filled.query(ROWS) == [("Art. 17", "planned")]
    assert filled.query(QUESTIONS) == [(f"erasure:{number}",)]
    answer(filled.url, f"erasure:{number}", "approver", approved=True)
    assert planned() == number  # cleared after the approval: the plan is the one that was approved
    assert asked(filled.url, f"erasure:{number}").decision == "approved"


def test_a_plan_that_has_become_another_one_is_asked_anew_under_its_number(
    filled: Office, planned: Callable[[], int]
) -> None:
    number = planned()
    answer(filled.url, f"erasure:{number}", "approver", approved=True)
    filled.load("hr.employee", zofia(department="Board"), adam())
    assert planned() == number
    assert filled.query(ROWS) == [("Art. 17", "planned")]
    assert filled.query(QUESTIONS) == [(f"erasure:{number}",)] * 2
    assert asked(filled.url, f"erasure:{number}").decision is None


def test_an_erasure_of_what_a_restored_backup_had_that_was_killed_is_ended_by_the_next_attempt(
    filled: Office, erased: Office
) -> None:
    assert erased.home != filled.home  # of the two, ONEFOLD_HOME is the one of which the person was erased

    def again() -> object:
        return lifecycle.erase_again(filled.url, filled.catalog)

    killed_at("_erase", again)
    killed_at("_end", again)
    assert filled.query(ROWS) == [(ledger.AGAIN, "executing")]
    again()
    assert filled.query(ROWS) == [(ledger.AGAIN, "done")]


def test_an_erasure_that_somebody_gives_the_same_basis_waits_for_its_approval(filled: Office) -> None:
    request = ErasureRequest(open_case(frozenset([email(OTHER)])).name, ledger.AGAIN)
    lifecycle.plan_erasure(filled.url, filled.catalog, request, filled.run())
    with pytest.raises(Fatal, match="nothing to erase again"):
        lifecycle.erase_again(filled.url, filled.catalog)
    assert filled.query(ROWS) == [(ledger.AGAIN, "planned")]
