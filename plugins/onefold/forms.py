"""What several DAGs' parameter forms have in common."""

from __future__ import annotations

INSTANT = r"^\d{4}-(0[1-9]|1[0-2])-\d{2}[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?$"
"""The format date-time alone refuses nothing: jsonschema checks it only with a package that Airflow does not bring."""
