"""What to do next about an operation or a load: a link to where it is done, or words."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from onefold.audit.approval import triggering_user
from onefold.console.airflow_links import dag_page, decision_page, run_page
from onefold.console.viewer import Viewer
from onefold.insight.loads import LoadSummary
from onefold.insight.operations import Operation


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, in words; `link` and `label` are where, if a page can do it. `inside`: the link is the path of a page
    below the console's, else an address."""

    text: str
    link: str | None = None
    label: str = ""
    inside: bool = False


def next_step(found: Operation, root: str, viewer: Viewer) -> NextStep | None:
    """The viewer's next step; None where nothing is left to do. `root` is the path below which the console answers."""
    if found.is_open and found.asks:
        return _decision(found, root, viewer)
    if found.is_open:
        return _going_on(found, root)
    return _start(found, root) if viewer.operates else _ended(found, root)


def next_step_of_load(load: LoadSummary, root: str, viewer: Viewer) -> NextStep | None:
    """The next step about a load; None where nothing is left to do."""
    name = f"{load.system}.{load.stream}"
    run = run_page(root, load.dag_id, load.run_id)
    if load.unread or load.is_stuck:
        text = (
            "Nothing of it is published. Once the cause is gone, clear the failed task: the load goes on where it was."
        )
        return NextStep(text, run, f"Run of {name}")
    if load.state == "rejected":
        text = (
            f"Nothing of it is published. Correct catalog/systems/{load.system}.yaml, "
            f"expectations/{load.system}__{load.stream}.yaml or the source; then clear the failed task."
        )
        return NextStep(text, run, f"Run of {name}")
    if load.ended_at is None:
        return NextStep("It is at work.")
    if load.state == "rolled_back":
        text = "A rollback has taken it back; it can be undone."
        rollbacks = "/operations?kind=rollback"
        return NextStep(text, rollbacks, "Rollbacks", inside=True) if viewer.sees_operations else NextStep(text)
    if (load.quarantined or load.withheld) and viewer.sees_operations:
        about = urlencode({"system": load.system, "stream": load.stream})
        return NextStep("The page Quarantine says why.", f"/quarantine?{about}", f"Quarantine of {name}", inside=True)
    return None


def _decision(found: Operation, root: str, viewer: Viewer) -> NextStep:
    text = "Another person than who asked reads the plan, and approves or rejects it"
    if found.kind == "plan":
        return NextStep(f"{text}: bin/onefold plan approve {found.number}")
    if found.kind == "restore":
        return NextStep(f"{text}: bin/onefold audit restored")
    if found.dag_id is None or found.run_id is None:
        return NextStep(f"{text}.")
    where = decision_page(root, found.dag_id, found.run_id)
    if triggering_user(found.asked_by) == viewer.name:
        own = "You have asked for it: another person approves it, and your own approval is refused. You may reject it."
        return NextStep(own, where, "Plan in Airflow")
    return NextStep(f"{text}.", where, "Decide")


def _going_on(found: Operation, root: str) -> NextStep:
    if found.kind == "alert":
        return NextStep("Do what the alert says. It ends by itself once the cause is gone.")
    if found.kind == "plan":
        return NextStep(f"Apply it: bin/onefold apply {found.number}")
    text = "Its run is at work, or has failed: the run shows which; a failed task is cleared there and goes on."
    if found.dag_id is None or found.run_id is None:
        return NextStep(text)
    return NextStep(text, run_page(root, found.dag_id, found.run_id), "Run")


def _start(found: Operation, root: str) -> NextStep | None:
    """What somebody who may start runs does about an operation that has ended."""
    rollbacks = "/operations/rollback"
    match (found.kind, found.state):
        case ("rollback", "done") if found.can_be_undone:
            return NextStep("It can be undone.", f"{rollbacks}/plan?undo={found.number}", "Undo it …", inside=True)
        case ("rollback", "refused"):
            return NextStep("Nothing was changed. Start a new one.", rollbacks, "Roll back loads …", inside=True)
        case ("migration", "published") if found.dag_id and found.run_id:
            loads = urlencode({"dag": found.dag_id, "run": found.run_id})
            return NextStep("Its loads can be rolled back.", f"{rollbacks}/plan?{loads}", "Roll back …", inside=True)
        case ("migration", "failed" | "refused"):
            return NextStep("Start a new one.", "/operations/migration", "New migration …", inside=True)
    return _ended(found, root)


def _ended(found: Operation, root: str) -> NextStep | None:
    match (found.kind, found.state):
        case ("replay", "refused" | "refused in part"):
            return NextStep(
                "Rows were refused again: the page Quarantine says why. Fix the mapping or the suite, or the record at "
                "its source, and replay again.",
                "/quarantine",
                "Quarantine",
                inside=True,
            )
        case ("reconciliation", "drift"):
            text = f"Load the differing days again: bin/onefold reconcile {found.about} --repair"
            return NextStep(text, dag_page(root, "reconcile"), "DAG reconcile")
        case ("reconciliation", "failed") if found.dag_id and found.run_id:
            return NextStep("Its run says why.", run_page(root, found.dag_id, found.run_id), "Run")
        case ("plan", "turned_down"):
            return NextStep("Change the files, and plan again: bin/onefold plan")
    return None
