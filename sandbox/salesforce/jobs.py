"""Salesforce's Bulk API 2.0 query jobs: made, waited for, fetched as CSV part by part.

Wire: Salesforce, "Bulk API 2.0 and Bulk API Developer Guide", "Query Jobs". A job is done when it has been asked about
twice. Jobs are forgotten when this process ends, as the real ones are after seven days.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.salesforce.query import Cursor, Found, checked
from sandbox.salesforce.soql import SoqlError, read
from sandbox.world import World
from sandbox.world.accounts import timestamp

STATES = ("UploadComplete", "InProgress", "JobComplete")


class JobError(Exception):
    """A request about jobs that is refused with this status and errorCode."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(slots=True)
class Job:
    id: str
    object: str
    operation: str
    version: str
    made: datetime
    cursor: Cursor
    epoch: int
    asked: int = 0

    @property
    def state(self) -> str:
        return STATES[min(self.asked, len(STATES) - 1)]


class Jobs:
    """The org's query jobs. A part of a result holds what is asked for, at most SANDBOX_SALESFORCE_BULK lines."""

    def __init__(self, world: World, found: Found) -> None:
        self._world = world
        self._found = found
        self._most = int(os.environ.get("SANDBOX_SALESFORCE_BULK", "50000"))
        self._jobs: dict[str, Job] = {}

    def make(self, body: bytes, version: str) -> Response:
        try:
            wanted = json.loads(body)
            operation, soql = wanted["operation"], wanted["query"]
        except (ValueError, KeyError, TypeError) as error:
            raise JobError(400, "INVALIDREQUEST", "Unable to parse the request body") from error
        if operation not in ("query", "queryAll"):
            raise JobError(400, "INVALIDJOB", f"Unsupported operation '{operation}'")
        try:
            sobject, query = checked(read(soql))
        except SoqlError as error:
            raise JobError(400, "API_ERROR", f"{error.code}: {error}") from error
        if not query.fields:
            raise JobError(400, "API_ERROR", "Aggregate Queries not supported in Bulk Query")
        cursor = Cursor(soql, operation == "queryAll", self._most, self._world.sequence)
        job = Job(
            f"7505g00000{secrets.token_hex(4)}", sobject.name, operation, version, self._world.now(), cursor,
            self._world.epoch,
        )  # fmt: skip
        self._jobs[job.id] = job
        while len(self._jobs) > 100:
            self._jobs.pop(next(iter(self._jobs)))
        return JSONResponse(self._shown(job))

    def told(self, job_id: str) -> Response:
        job = self._held(job_id)
        job.asked += 1
        more: dict[str, object] = {"jobType": "V2Query", "retries": 0, "totalProcessingTime": 0}
        if job.state == "JobComplete":
            more["numberRecordsProcessed"] = len(self._found.by(job.cursor)[1])
        return JSONResponse(self._shown(job) | more)

    def part(self, request: Request) -> Response:
        job = self._held(request.path_params["job"])
        if job.version != request.path_params["version"]:
            raise JobError(409, "INVALIDJOB", "The job was created with another API version")
        if job.state != "JobComplete":
            raise JobError(
                412,
                "JOB_NOT_COMPLETE",
                "can only download query results of successfully completed bulk job with status: JOB_COMPLETE. "
                f"Current status: {re.sub('(?<!^)(?=[A-Z])', '_', job.state).upper()}",
            )
        query, rows = self._found.by(job.cursor)
        offset = _offset(request.query_params.get("locator"))
        asked = request.query_params.get("maxRecords", "")
        end = offset + min(int(asked) if asked.isdigit() and int(asked) else self._most, self._most)
        file = io.StringIO()
        lines = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        lines.writerow(query.fields)
        part = rows[offset:end]
        lines.writerows(row.line(query.fields) for row in part)
        headers = {
            "Sforce-NumberOfRecords": str(len(part)),
            "Sforce-Locator": _locator(end) if end < len(rows) else "null",
        }
        return Response(file.getvalue(), media_type="text/csv", headers=headers)

    def _held(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None or job.epoch != self._world.epoch:
            raise JobError(404, "NOT_FOUND", "The requested resource does not exist")
        return job

    @staticmethod
    def _shown(job: Job) -> dict[str, object]:
        return {
            "id": job.id,
            "operation": job.operation,
            "object": job.object,
            "createdById": "0055g000000001AAA",
            "createdDate": timestamp(job.made),
            "systemModstamp": timestamp(job.made),
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version.lstrip("v")),
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None) -> int:
    if locator is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except ValueError as error:
        raise JobError(400, "INVALIDLOCATOR", f"Invalid locator {locator}") from error
