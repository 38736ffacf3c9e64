"""What the Airflow UI says about a DAG and its tasks, written from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.catalog.entity import Entity
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.catalog.target import Target
from onefold.connectors.past import unaskable


def sync_doc(system: System) -> str:
    """The page of a sync DAG: its streams, its window, and what to do when a task fails."""
    rows = "\n".join(
        f"| `{name}` | {stream.title} | `{', '.join(stream.primary_key)}` | {_cursor(stream)} | "
        f"`staging.{system.system}__{name}` |"
        for name, stream in system.streams.items()
    )
    odd = f"\n**Special:** {system.python.why}\n" if system.python else ""
    prompt = ""
    if system.start == "on_change":
        prompt = "\nA run also starts as soon as there is anything to load (`start: on_change`)."
    return f"""### {system.title} → staging

| stream | what | primary key | cursor | table |
|---|---|---|---|---|
{rows}

Each stream is one task, a load in three steps. **land** brings the pages of one window, **gate** lets the contract and
Great Expectations check them, **publish** makes the accepted rows visible in one transaction with cursor, quarantine,
lineage and audit. Each step is a group of the task's log.
{odd}
**Window.** Scheduled and manual runs go on from the last published load, with an overlap. Parameters `start` and `end`,
or a backfill, load exactly the window that they name. The same window twice changes nothing.{prompt}{_no_past(system)}

**When a task is red**, the last line of its log says which step failed, why, and what to do. *land*: the system is down
or refuses us. *gate*: the expectations that failed and how many rows; or a changed contract, with the field and its old
and new type: correct `catalog/systems/{system.system}.yaml` or the suite in `expectations/`. *publish*: the warehouse.
Nothing was published. Then clear the task. When Airflow tries it again by itself, the load goes on with the step that
failed. The figures are on the asset's event and in `ops.load`, `ops.gate_result`, `ops.quarantine`,
`ops.contract_change`.
"""


def load_doc(system: System, stream: str) -> str:
    """The note of the task that loads a stream."""
    share = system.streams[stream].gate.max_quarantined_share
    return (
        f"**land** reads {system.title}, stream `{stream}`, page by page into `landing`; it goes on after a crash. "
        f"**gate** checks what has landed against the contract in `catalog/systems/{system.system}.yaml` and the suite "
        f"`expectations/{system.system}__{stream}.yaml`: single bad rows go to `ops.quarantine` with their reason, "
        f"more than {share:.0%} of them reject the load. **publish** writes the accepted rows that differ to "
        f"`staging.{system.system}__{stream}`, with cursor, quarantine, lineage and audit, in one transaction."
    )


def conform_doc(entities: Iterable[Entity]) -> str:
    """The page of the conform DAG."""
    rows = "\n".join(
        f"| `conformed.{e.entity}` | {e.title} | {', '.join(f'`{s}`' for s in e.streams)} | "
        f"{', '.join(f'`{i}`' for i in e.identity.columns)} |"
        for e in entities
    )
    return f"""### staging → mapped → conformed

| entity | what | from | strong identifiers |
|---|---|---|---|
{rows}

Runs whenever a stream has published, and every quarter of an hour: what is published while it is paused tells Airflow
nothing. It includes the loads since the last publish, maps them by
`catalog/entities/`, resolves which records are the same thing, lets the most trusted system decide each attribute,
lets the suite of the entity check the result, and publishes all of it at one instant: a query sees the old set or the
new set. Golden records that fail the suite stay as they were published (`ops.held_back`). Nothing new: it ends at once.
The publishes are in `ops.publish`.

**When it is red**, the log names the dbt model or test that failed, or the entities of which too many golden records
fail: these, and those that refer to them, are as they were; the others are published. Correct it and clear the task:
the same loads are included again.
"""


def _no_past(system: System) -> str:
    """Which streams are skipped when a run names a window."""
    now = datetime.now(UTC)
    without = [f"`{name}`" for name in system.streams if unaskable(system, name, None, now)]
    return f" They skip {', '.join(without)}, which cannot be asked about the past." if without else ""


def deliver_doc(target: DeliveryTarget) -> str:
    """The page of a delivery DAG."""
    return f"""### conformed, marts → {target.title}

Runs whenever conform has published, and every hour. It writes the versions since the last delivery, and of marts the
rows that changed, compares every changed table with PostgreSQL by count and checksum, and then moves one row
(`onefold.published` there) by which all views show the new publish at one instant. Nothing new: it ends at once.
Attempts are in `ops.delivery`.

**When it is red**, readers there see the publish before, whole. The log says what to do: the target is down or refuses
(the next attempt begins again), a value that it cannot hold exactly (table, row and column are named), or cells that
differ from PostgreSQL: start it with `full`, which writes every row that differs again. With `verify` it only compares.
More in `docs/deliveries.md`.
"""


def reconcile_doc() -> str:
    """The page of the reconcile DAG."""
    return """### Is the warehouse what the sources have?

Each stream that has been published is compared with its source, as cheaply as the source allows: where it can count
(SQL, OData, Salesforce), counts by window come first and only windows that differ are read; else the last 30 days are,
or the whole where the stream has no cursor of time. What differs is in `ops.drift`, each comparison in
`ops.reconciliation`; nothing of staging is changed.

**A sweep** comes first where a stream's YAML says so (`deletes.sweep`) and it is due: the keys of all its records are
listed, and what its source no longer has is deleted, as a load of its own (`docs/deletes.md`).

*watch* then checks every stream's freshness SLA (`freshness` in its YAML): data that is older, or a difference that
lasts longer, is one alert, and one more when it is resolved (`ops.alert`). Younger differences are normal latency.
*costs* applies `catalog/prices.yaml`, measures what is stored, and checks the budgets (`docs/cost.md`).
*hypercare* watches what is new more closely, and sends its digests (`docs/hypercare.md`).

**To repair**, trigger it with `streams` and `repair`: the days in which records differ, and only they, are loaded
again. More in `docs/runbooks/reconcile.md` and `docs/runbooks/alerts.md`.
"""


def rollback_doc() -> str:
    """The page of the rollback DAG."""
    return """### Published loads, removed as if they had never been

**plan** works out what would change and changes nothing; **approve** shows it and waits until a person *other than who
started the run* approves; **execute** does it in one transaction, and conform follows. Later loads stay: what they had
read and not written, because the load that goes had written it before them, is written as theirs.

To undo a rollback, start this DAG with its number as `undo`. Both are in `ops.rollback` and in the audit trail.

**When it is red.** *plan*: the log says which load cannot be rolled back, and why; nothing was changed. *approve*: it
was answered past the API server: clear it and let another person do it. *execute*: what was approved no longer is what
would happen, or the stream is being loaded; the log says what to do. More: `docs/runbooks/rollback.md`.
"""


def erase_doc() -> str:
    """The page of the erase DAG."""
    return """### One person, erased everywhere

Start it with `bin/onefold erase`: the run names a case, and nobody sees here whom. **plan** counts the rows and fields
of every table that hold something of the person, and changes nothing; **approve** shows that and waits until a person
*other than who started the run* approves; **execute** keeps the person out from then on, erases what is there in one
transaction, searches everything once more, and writes tables and log anew, so that no file holds it either.

It cannot be undone, and neither a replay, a rollback, an undo nor a migration brings anything back. Each erasure is in
`ops.erasure` and in the audit trail.

**When it is red.** *plan*: the case is not open on this machine, or a key holds the person's address; the log says so.
*execute*: a load or a conform takes long, or the person has new records; the log says what to do. Clearing it goes on
where it was. More: `docs/runbooks/erasure.md`.
"""


def _cursor(stream: Stream) -> str:
    if stream.cursor:
        return f"`{', '.join(stream.cursor.fields)}`"
    return "asked value by value" if stream.lookup else "none"


REPLAY_DOC = """### ops.quarantine → staging, once more

After a suite (`expectations/`), a mapping (`catalog/entities/`) or the fields of a stream (`catalog/systems/`) have
been corrected, the rows that they refused are gated again. The form chooses them; what is left empty does not matter.
Rows that were stored as text cannot become records and are left out; the account names them.

**choose** fixes the rows · **replay**, one task a stream, gates and publishes them as a load of its own (no source is
asked, no cursor moves) · **prove** accounts for every row: *published*, *superseded* (something newer of the record had
come) or *again* in quarantine, with the new reason.

**When it is red.** *choose*: the log says what is wrong with the form; nothing was changed. *replay*: the log says why;
the rows wait as before; correct it and clear the task. *prove* names the streams whose rows have not been gated,
or says that every row came back: the replay is closed, and nothing was mended.
The runs are in `ops.replay`, the rows in `ops.replay_row`.
"""


def migrate_doc() -> str:
    """The page of the migrate DAG."""
    return """### A window of the past, loaded with approval

**plan** refuses what cannot be loaded, and says what the rest takes. **dry_run** reads and gates the window chunk by
chunk and publishes nothing; where the source can count, it must count what was read. **report** maps and resolves that
in shadow schemas, which analysts cannot see: what would be new, changed, merged, split, quarantined, with totals.
**approve** shows plan and report and waits for a person *other than who started the run*. **publish** publishes what
the dry run has read, and conform follows. All of it is in `ops.migration`; more in `docs/runbooks/migrate.md`.

Whatever ends a task, trying it again goes on with the chunk and the page that it was at.
"""


RETENTION_DOC = """### What is kept no longer

How long replaced versions, deleted records, quarantine, past golden records, lineage and logs are kept is said in
`catalog/privacy.yaml` and in the systems' YAML. **warehouse** deletes what is due in batches; what a rollback, its undo
or the next conform still needs is never due. **installation** lets `airflow db clean` delete old runs, and deletes old
logs. What is due now: `bin/onefold retention`. What was deleted: `ops.retention`, `ops.retention_purge` and the audit
chain, in counts.

**When it is red.** The log says why. A run that died half-way has deleted what `ops.retention_purge` says; clear the
task, and it goes on. More in `docs/data-protection.md`.
"""


def write_back_doc(target: Target) -> str:
    """The page of a write-back's DAG."""
    objects = "\n".join(
        f"| {each.entity} | {each.object} | {', '.join(each.may)} | {', '.join(each.fields)} |"
        for each in target.objects.values()
    )
    return f"""### What is written into {target.title}

| golden records | there | may | fields |
|---|---|---|---|
{objects}

Each publish that changes one of these golden records intends to write it (`ops.outbox`). **plan** reads what the target
has now and stores what would be done, row by row (`ops.write_back_plan`, `ops.write_back_plan_row`). **execute** reads
each record once more, leaves alone what has changed since, sends the rest, and reads it back. **approve** waits for
another person where `approval` in `catalog/targets/{target.target}.yaml`, or a rule `ask`, wants one: for a plan of its
own, which holds back nothing else, and is closed when a newer version of one of its records comes. **execute_approved**
writes that one.

A request whose answer was lost is *ambiguous*: nothing of that record is sent until the target's longest run is over
and it was searched there. A record that the target refuses, or cannot hold, is *refused* and waits for a replay: from
the console's page *Write-back*, or by this DAG's form (`replay`). What a rollback takes back always waits for approval.

**When it is red.** The log says why. Nothing is sent twice by clearing a task. More in `docs/write-back.md`.
"""
