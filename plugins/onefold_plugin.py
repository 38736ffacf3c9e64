"""What Onefold adds to Airflow itself."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from onefold.orchestration import backfill_runs
from onefold.orchestration.approval_guard import ApprovalGuard
from onefold.platform.health import HealthPage


class OnefoldPlugin(AirflowPlugin):
    """Found by every Airflow process; only the scheduler calls the listener, and only the API server the others."""

    name = "onefold"
    listeners = [backfill_runs]  # noqa: RUF012 - Airflow's own interface
    fastapi_apps = [{"name": "onefold", "app": HealthPage(), "url_prefix": "/onefold"}]  # noqa: RUF012
    fastapi_root_middlewares = [{"name": "approvals", "middleware": ApprovalGuard}]  # noqa: RUF012
