"""How much a system allows, and what its error answers mean."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from onefold.catalog.answer import ErrorRules
from onefold.catalog.model import Model


def _zone_exists(rate: str) -> str:
    zone = rate.partition("@")[2]
    if zone and zone not in available_timezones():
        raise ValueError(f"{rate!r} names a time zone that does not exist; write one as in 100/day@Europe/Warsaw")
    return rate


Rate = Annotated[
    str, Field(pattern=r"^\d+/(s|min|h|day|day@[A-Z][A-Za-z_]+/[A-Z][A-Za-z_]+)$"), AfterValidator(_zone_exists)
]
"""120/min: in any minute; 100/day@Europe/Warsaw: on a calendar day there."""

OWN_RATE = "^[1-9][0-9]*/(s|min|h|day)$"
"""The form of the rate that somebody gives a migration, instead of the system's own."""


class Quota(Model):
    """The headers in which a source says how many requests are left and when there are more. Well-known ones are read
    without this: RateLimit, RateLimit-Remaining and -Reset, X-RateLimit-… and X-Rate-Limit-…."""

    remaining: str | None = Field(None, description="the header with the number of requests that are left")
    reset: str | None = Field(
        None,
        description="the header that says when there are more: a time (since 1970, ISO, HTTP), or how long until then",
    )
    heed: bool = Field(True, description="false: these headers mean something else here, nothing is waited for")

    @model_validator(mode="after")
    def _both_or_none(self) -> Quota:
        if (self.remaining is None) != (self.reset is None):
            raise ValueError("limits.quota needs both remaining and reset: how many are left, and until when")
        return self


class Limits(Model):
    """How much the system allows, and how much of it is borne: nothing that it sends, or does not, goes on for ever.

    The connection's extra {"rate": "1000/s"} overrides its rate for a test system, but for a quota of a day, which only
    another one overrides: {"rate": "1000/s,5000/day"}."""

    rate: list[Rate] = Field(["10/s"])
    per_endpoint: dict[str, list[Rate]] = Field(
        {}, description="further rates of single endpoints, by method and end of the path: POST /exports"
    )
    quota: Quota = Quota()
    timeout: timedelta = Field(
        timedelta(seconds=60),
        description="one request and its whole answer, from the first byte to the last; of a database: one page",
    )
    attempts: PositiveInt = Field(5, description="how often a request is tried, within timeout times attempts")
    pages: PositiveInt = Field(100_000, description="the most pages that one load reads of a stream")
    empty_pages: PositiveInt = Field(10_000, description="the most pages one after another that bring nothing")
    load: timedelta = Field(
        timedelta(hours=12), description="one attempt to load a stream; the next goes on after its last page"
    )
    idle_run: timedelta = Field(
        timedelta(hours=1),
        description="how long a load waits for another run of its stream that does nothing, as while its DAG is paused",
    )
    answer_mib: PositiveInt = Field(256, description="the largest answer, unpacked; of a database: the largest page")
    file_mib: PositiveInt = Field(1024, description="files: the largest that is read, as it was sent")
    unpacked_mib: PositiveInt = Field(4096, description="files: the most that one may be when it is unpacked")

    retained_log_mib: PositiveInt = Field(
        1024, description="cdc: how much of its log the source may keep for a stream before an alert is opened"
    )
    lag: timedelta | None = Field(
        None,
        description="how long a stream may be behind the end of its source's log or queue before an alert is opened",
    )
    lag_messages: PositiveInt | None = Field(
        None, description="queues: how many messages a stream may be behind before an alert is opened"
    )

    renamed: ClassVar[dict[str, str]] = {"apart": "per_endpoint"}


class Errors(Model):
    """What the system's error answers mean where the HTTP status does not tell."""

    retry: list[str] = Field([], description="texts in the body of a 4xx answer that mean: later")
    quota_exhausted: list[str] = Field(
        [], description="texts in the body of an error that mean: our quota is used up for now"
    )

    in_answer: ErrorRules = Field(
        [], description="rest: what in an answer with status 2xx means an error; the first rule that fits counts"
    )

    renamed: ClassVar[dict[str, str]] = {"spent": "quota_exhausted"}
