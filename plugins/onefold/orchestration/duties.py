"""The duties of people, one for each person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Duty = Literal["engineer", "approver", "analyst", "auditor"]

AIRFLOW_ROLES: Mapping[Duty, str] = {"engineer": "op", "approver": "user", "analyst": "viewer", "auditor": "viewer"}
"""Airflow's own role of each: auth_manager.py says what a role allows. Nobody is an admin."""
