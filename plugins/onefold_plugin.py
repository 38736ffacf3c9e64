"""What Onefold adds to Airflow itself."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from onefold.orchestration import backfill_runs


class OnefoldPlugin(AirflowPlugin):
    """Found by every Airflow process; only the scheduler calls the listener."""

    name = "onefold"
    listeners = [backfill_runs]  # noqa: RUF012 - Airflow's own interface
