"""Widgets: what Airflow's own pages show of the console: of its home, of a DAG, of a run and of a task instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.catalog.reader import read_catalog, read_systems
from onefold.catalog.system import System
from onefold.catalog.target_reader import read_targets
from onefold.console.next_step import next_step, next_step_of_load
from onefold.console.pages.operations import account_of
from onefold.console.pages.overview import trend
from onefold.console.pages.quarantine import Filter, in_words
from onefold.console.pages.write_back import step
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.console.viewer import Viewer
from onefold.console.views import WIDGETS
from onefold.insight import waiting
from onefold.insight.alerts import count_open_alerts
from onefold.insight.entities import entity_statuses
from onefold.insight.loads import loads_of_run
from onefold.insight.operations import OF_DAG, asking_operations, operations, operations_of_run
from onefold.insight.problems import Problem, by_kind, problems
from onefold.insight.streams import stream_statuses
from onefold.insight.trend import days_of_streams
from onefold.insight.write_backs import plan, plans, target_states
from onefold.load.source_slots import unused_slots
from onefold.write_back.plan_ledger import plans_of_run

router = APIRouter(prefix=WIDGETS)
_NAMED, _PLANS = 3, 5
_SYNC, _WRITE_BACK = "sync__", "write_back__"


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of thing that is wrong. `count` with `of`: how many of what; `names`: the streams that it is about;
    `address`: the page of the console that says more."""

    severity: Literal["error", "warning"]
    name: str
    title: str
    count: int
    of: str
    names: Sequence[str]
    address: str


@router.get("/home")
def home(request: Request) -> HTMLResponse:
    """What is wrong anywhere, in a line each."""
    viewer: Viewer = request.state.viewer
    now = datetime.now(UTC)
    with reading() as connection:
        systems = read_systems()
        statuses, slots = stream_statuses(connection, systems), unused_slots(connection, systems)
        asking = asking_operations(connection) if viewer.sees_operations else 0
        alerts = count_open_alerts(connection)
        states = [each for each in target_states(connection, ()) if each.waits]
    found = [_of_problems(first, group, viewer) for first, group in by_kind(problems(statuses, now, slots))]
    signals = [each for each in found if each is not None]
    if states:
        refused, names = sum(each.refused for each in states), [each.target for each in states]
        deciding = sum(each.waiting_plans for each in states)
        address = "/write-back" if viewer.sees_operations else "/overview#write-back"
        for name, title, count, of in (
            ("refused_out", "Not written out", refused, "record"),
            ("write_back_plans", "Write-backs that wait for a decision", deciding, "plan"),
        ):
            if count:
                signals.append(Signal("warning", name, title, count, of, names, address))
    if asking:
        address = "/operations?show=open"
        signals.append(Signal("warning", "asking", "Plans that wait for a decision", asking, "plan", (), address))
    if alerts:
        address = "/operations?kind=alert&show=open" if viewer.sees_operations else "/overview#wrong"
        signals.append(Signal("warning", "alerts", "Open alerts", alerts, "alert", (), address))
    return page(
        request,
        viewer,
        "widget_home.html",
        signals=signals,
        streams=len(statuses),
        never=sum(each.last_load is None for each in statuses),
        named=_NAMED,
    )


@router.get("/dag")
def of_dag(request: Request, dag: str) -> HTMLResponse:
    """How what a DAG takes care of stands now: the streams of a system, the entities, or operations of a kind."""
    viewer: Viewer = request.state.viewer
    systems = read_systems()
    system = dag.removeprefix(_SYNC) if dag.startswith(_SYNC) else ""
    if system in systems:
        return _streams(request, systems[system])
    if dag in OF_DAG:
        _require_operations(viewer)
        with reading() as connection:
            found = operations(connection, kind=OF_DAG[dag], limit=10).rows
        steps = {(each.kind, each.number): next_step(each, _root(request), viewer) for each in found}
        title = f"The newest {OF_DAG[dag]}s"
        return page(request, viewer, "widget_operations.html", title=title, dag=dag, rows=found, next_steps=steps)
    if dag == "conform":
        with reading() as connection:
            entities = entity_statuses(connection)
        return page(request, viewer, "widget_entities.html", entities=entities)
    if dag.startswith(_WRITE_BACK):
        return _write_back(request, dag, None)
    text = f"The DAG {dag} neither loads a stream nor does an operation."
    return page(request, viewer, "message.html", title="Nothing in the warehouse", text=text)


@router.get("/dag_run")
def of_run(request: Request, dag: str, run: str) -> HTMLResponse:
    """What a run has done: its plan of a write-back, its operations, else its loads."""
    viewer: Viewer = request.state.viewer
    root = _root(request)
    if dag.startswith(_WRITE_BACK):
        return _write_back(request, dag, run)
    if dag in OF_DAG:
        _require_operations(viewer)
    with reading() as connection:
        found = operations_of_run(connection, dag, run)
        loads = [] if found else loads_of_run(connection, dag, run)
        account = account_of(connection, found[0], viewer) if len(found) == 1 else {}
    if len(found) == 1:
        step = next_step(found[0], root, viewer)
        return page(request, viewer, "widget_operation.html", found=found[0], **account, step=step, run=None, seen=None)
    if found:
        steps = {(each.kind, each.number): next_step(each, root, viewer) for each in found}
        title = f"{found[0].kind.capitalize()}s of this run"
        return page(request, viewer, "widget_operations.html", title=title, dag=dag, rows=found, next_steps=steps)
    if not loads:
        return _no_load(request, f"The run {run} has loaded nothing yet, nor begun an operation.")
    steps_of_loads = {load.load_id: next_step_of_load(load, root, viewer) for load in loads}
    return page(request, viewer, "widget_loads.html", loads=loads, steps=steps_of_loads)


@router.get("/task_instance")
def of_task(request: Request, dag: str, run: str, task: str) -> HTMLResponse:
    """The load of a task, and why rows of it wait."""
    viewer: Viewer = request.state.viewer
    if not dag.startswith(_SYNC):
        return _no_load(request, f"The task {task} loads no stream. The run's own tab says what the run has done.")
    catalog = read_catalog()
    with reading() as connection:
        load = next((each for each in loads_of_run(connection, dag, run) if each.stream == task), None)
        if load is None:
            return _no_load(request, f"The task {task} of this run has loaded nothing yet.")
        groups = waiting.groups_of_load(connection, load.load_id) if viewer.sees_operations else []
    return page(
        request,
        viewer,
        "widget_load.html",
        load=load,
        step=next_step_of_load(load, _root(request), viewer),
        groups=[
            (
                each,
                in_words(catalog, each.system, each.stream, each),
                Filter(each.system, each.stream, each.text).query(),
            )
            for each in groups
        ],
    )


def _streams(request: Request, system: System) -> HTMLResponse:
    now = datetime.now(UTC)
    with reading() as connection:
        statuses = stream_statuses(connection, {system.system: system})
        days = days_of_streams(connection, now, system=system.system)
    return page(
        request,
        request.state.viewer,
        "widget_streams.html",
        system=system,
        problems=by_kind(problems(statuses, now)),
        statuses=statuses,
        trends={(each.system, each.stream): trend(days.get((each.system, each.stream), ())) for each in statuses},
    )


def _write_back(request: Request, dag: str, run: str | None) -> HTMLResponse:
    """How a target stands, and the run's plan; without a run, the newest plans."""
    viewer: Viewer = request.state.viewer
    _require_operations(viewer)
    target = dag.removeprefix(_WRITE_BACK)
    with reading() as connection:
        states = [each for each in target_states(connection, [target]) if each.target == target]
        made = plans_of_run(connection, dag, run) if run else []
        newest = plans(connection, target, _PLANS) if run is None else []
        found = [plan(connection, each.plan_id) for each in reversed(made)] or newest
    return page(
        request,
        viewer,
        "widget_write_back.html",
        target=target,
        targets=read_targets(read_catalog()),
        states=states,
        plans=[(each, step(each, _root(request), viewer)) for each in found if each],
        run=run,
    )


def _of_problems(first: Problem, group: Sequence[Problem], viewer: Viewer) -> Signal | None:
    """The problems of a kind in a line; None where they are no more than a notice."""
    if first.severity.name == "NOTICE":
        return None
    address = "/overview#wrong"
    if first.kind == "quarantine" and viewer.sees_operations:
        one = {"system": first.system, "stream": first.stream} if len(group) == 1 else {}
        address = f"/quarantine?{urlencode(one)}" if one else "/quarantine"
    count, of = (sum(each.count for each in group), "record") if first.is_counted else (len(group), "stream")
    names = [each.name for each in group]
    severity: Literal["error", "warning"] = "error" if first.severity.name == "ERROR" else "warning"
    return Signal(severity, first.kind, first.title, count, of, names, address)


def _no_load(request: Request, text: str) -> HTMLResponse:
    return page(request, request.state.viewer, "message.html", title="Nothing in the warehouse", text=text)


def _require_operations(viewer: Viewer) -> None:
    if not viewer.sees_operations:
        raise HTTPException(403)


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))
