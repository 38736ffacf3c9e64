"""What Onefold adds to Airflow itself."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from onefold.console.mount import Console, external_views, react_apps
from onefold.console.views import PREFIX
from onefold.orchestration import backfill_runs, finished_deadlines
from onefold.orchestration.approval_guard import ApprovalGuard
from onefold.orchestration.deadlines import SinceLastData
from onefold.platform.health import HealthPage


class OnefoldPlugin(AirflowPlugin):
    """Found by every Airflow process; only the scheduler calls the listener, and only the API server the others."""

    name = "onefold"
    listeners = [backfill_runs, finished_deadlines]  # noqa: RUF012 - Airflow's own interface
    deadline_references = [SinceLastData]  # noqa: RUF012
    fastapi_apps = [  # noqa: RUF012
        {"name": "onefold", "app": HealthPage(), "url_prefix": "/onefold"},
        {"name": "console", "app": Console(), "url_prefix": PREFIX},
    ]
    external_views = external_views()
    react_apps = react_apps()
    fastapi_root_middlewares = [{"name": "approvals", "middleware": ApprovalGuard}]  # noqa: RUF012
