"""Salesforce's Bulk API 2.0: make a query job, wait until it is done, fetch its result part by part.

Source: Salesforce, "Bulk API 2.0 and Bulk API Developer Guide", "Query Jobs": the last part's header Sforce-Locator
is the text null; a result is kept for seven days; ORDER BY keeps a job from being split by key ranges.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal
from urllib.parse import urlencode

import msgspec

from onefold.catalog.request import Bulk
from onefold.catalog.stream import Stream
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import Fetched, pages
from onefold.connectors.record import Record
from onefold.connectors.records import sound_json
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders
from onefold.errors import Retriable
from onefold.foreign_text import described
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.known_words import known_words

FIRST_WAIT, LONGEST_WAIT, PATIENCE = 0.25, 30.0, 2 * 3600.0  # seconds
QUERY = "q"
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_CSV = {"Accept": "text/csv"}


class Job(msgspec.Struct):
    """What Salesforce says of a job."""

    id: str
    state: Literal["UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]
    errorMessage: str | None = None


def job_reader(
    named: str, stream: Stream, bulk: Bulk, http: Client, record: Callable[[Mapping[str, str]], Record]
) -> PageReader:
    """Reads the stream's query by a job, deleted rows too; `record` makes a record of a line's texts by column.

    A page's token is the address of the next part. A result that is no longer kept is asked for anew.
    """

    def read(window: Window, token: str | None) -> Iterator[Page]:
        soql = unordered(filled(stream.request.params[QUERY], placeholders(window, stream)))

        def fetch(token: str | None) -> Fetched:
            address = token or f"{_finished(soql)}?{urlencode({'maxRecords': bulk.size})}"
            records, locator = http.send("GET", address, headers=_CSV, parse=part)
            following = None
            if locator:
                query = urlencode({"locator": locator, "maxRecords": bulk.size})
                following = f"{address.partition('?')[0]}?{query}"
            return Fetched(records, following, mark=following or "")

        return pages(fetch, token, named)

    def part(response: Response) -> tuple[list[Record], str | None]:
        records = [record(row) for row in rows(response)]
        said = response.headers.get("Sforce-NumberOfRecords")
        if said is not None and said != str(len(records)):
            raise BadBody("CSV with another number of lines than its header says")
        locator = response.headers.get("Sforce-Locator")
        return records, None if locator in (None, "", "null") else locator

    def _finished(soql: str) -> str:
        """The address of the result, when there is one."""
        request = msgspec.json.encode({"operation": "queryAll", "query": soql, "contentType": "CSV"})
        job = http.send("POST", bulk.path, headers=_JSON, body=request, parse=_job)
        waited, pause = 0.0, FIRST_WAIT
        while job.state in ("UploadComplete", "InProgress"):
            if waited > PATIENCE:
                raise Retriable(
                    f"{named}: the query job {job.id} is still {job.state} after {waited / 60:.0f} minutes. Look at it "
                    "in Salesforce's Setup under Bulk Data Load Jobs; run this again later. Nothing was changed."
                )
            http.wait(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_WAIT)
            job = http.send("GET", f"{bulk.path}/{job.id}", headers=_JSON, parse=_job)
        if job.state != "JobComplete":
            told = described(job.errorMessage or "", known_words(http.system))
            raise Retriable(
                f"{named}: the query job {job.id} ended as {job.state}: {told or 'without a reason'}. Run "
                "it again; if it ends so again, compare the query in the YAML with the object. Nothing was changed."
            )
        return f"{bulk.path}/{job.id}/results"

    return read


def unordered(soql: str) -> str:
    """The query without its ORDER BY."""
    return re.sub(r"\s+ORDER\s+BY\s.*$", "", soql, flags=re.IGNORECASE | re.DOTALL)


def rows(response: Response) -> Iterator[dict[str, str]]:
    """The lines of a CSV answer by column, one at a time. Raises BadBody when it is not whole, or is not CSV."""
    response.file.seek(0)
    start = response.file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        raise BadBody("a web page or XML instead of CSV")
    if start.startswith((b"[", b"{")):
        raise BadBody("JSON, as of an error, instead of CSV")
    response.file.seek(0)
    lines = csv.reader(io.TextIOWrapper(response.file, "utf-8-sig", newline=""), strict=True)
    try:
        columns = next(lines, [])
        for line in lines:
            if len(line) != len(columns):
                raise BadBody("CSV with a line that does not fit its first")
            yield dict(zip(columns, line, strict=True))
    except UnicodeDecodeError as error:
        raise BadBody("CSV that is not UTF-8") from error
    except csv.Error as error:
        raise BadBody("CSV that is cut off or malformed") from error


def _job(response: Response) -> Job:
    try:
        return msgspec.json.decode(sound_json(response), type=Job)
    except msgspec.ValidationError as error:
        raise BadBody("an answer that does not tell of a job") from error
