"""replay: quarantined rows are gated again, after a suite, a mapping or a stream's YAML has been corrected."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param, TriggerRule

from onefold.catalog.reader import read_systems
from onefold.orchestration.assets import REPLAYED
from onefold.orchestration.dag_docs import REPLAY_DOC
from onefold.orchestration.forms import INSTANT, REASON, ROWS, one_of
from onefold.orchestration.operators import ChooseRows, ProveReplay, ReplayStream
from onefold.orchestration.retries import retried

with DAG(
    dag_id="replay",
    description="Gates quarantined rows again, and accounts for every one of them",
    doc_md=REPLAY_DOC,
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when somebody asks for it
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["operations"],
    params={
        "reason": Param("", **REASON, description="What was corrected"),
        "system": Param(None, **one_of(list(read_systems()), "all systems")),
        "stream": Param(None, type=["null", "string"], description="Of this system; empty: all its streams"),
        "expectation": Param(
            None,
            type=["null", "string"],
            description="Text in the expectation that failed, the reason, or the withheld attribute; empty: any",
        ),
        "quarantined_from": Param(None, **INSTANT, description="Quarantined at this instant or later"),
        "quarantined_to": Param(None, **INSTANT, description="Quarantined before this instant"),
        "mapping_version": Param(
            None, type=["null", "integer"], minimum=1, description="Refused by this version of an entity's mapping"
        ),
        "rows": Param(None, **ROWS, description="Only these numbers of `ops.quarantine`, as 12, 15; empty: any"),
    },
    default_args=retried(3),
):
    choose = ChooseRows(
        task_id="choose",
        doc_md="Fixes the rows in `ops.replay_row`. A wrong choice, or one that finds nothing, is refused.",
    )
    replay = ReplayStream.partial(
        task_id="replay",
        doc_md="Lands, gates and publishes the chosen rows of one stream, as a load of its own.",
        map_index_template="{{ task.stream }}",
        outlets=[REPLAYED],
    ).expand(stream=choose.output)
    prove = ProveReplay(
        task_id="prove",
        doc_md="Checks that chosen = published + superseded + again, row by row, and closes `ops.replay`.",
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,  # choose succeeded: also says what a failed stream leaves
    )
    [choose, replay] >> prove
