"""Who did something, as an audit event records it."""

from __future__ import annotations

import getpass
import os
import re


def actor(user: str | None = None, dag_id: str | None = None, run_id: str | None = None) -> str:
    """The actor of an audit event, one token.

    "airflow:<dag_id>/<run_id>" for a task, with "by:<user>/" before it when somebody triggered the run;
    "airflow:<user>" for an act in the UI; otherwise "os:<login name>", or "os:uid-<number>" where there
    is none.
    """
    if dag_id:
        by = f"by:{_token(user)}/" if user else ""
        return f"airflow:{by}{_token(dag_id)}/{_token(run_id or 'unknown')}"
    if user:
        return f"airflow:{_token(user)}"
    try:
        return f"os:{_token(getpass.getuser())}"
    except (KeyError, OSError):  # a container's uid without a passwd entry; OSError from Python 3.13 on
        return f"os:uid-{os.getuid()}"


def _token(text: str) -> str:
    return re.sub(r"[^\w.:@+\-]", "_", text)[:140] or "_"
