"""What the catalogue says of personal data: why a stream's records are processed, for whom, and how long.

A stream says it under `privacy` (its system's `defaults` for all of them). What is the same for every system stands in
catalog/privacy.yaml: who the controller is, how long each class of personal data is kept, who receives it, what
protects it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from onefold.catalog.fields import PersonalClass
from onefold.catalog.model import Model, mistake_at

LegalBasis = Literal[
    "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"
]
"""Article 6(1) of Regulation (EU) 2016/679 (GDPR), letters a to f."""


def _a_while(duration: timedelta) -> timedelta:
    if duration < timedelta(days=1):
        raise ValueError("a period has at least one day; write P1D or more")
    return duration


TO_SAY = "TODO:"
"""How a draft begins what somebody must say; it counts as not said."""
Period = Annotated[timedelta, AfterValidator(_a_while)]
Words = Annotated[str, Field(min_length=3)]
Sentence = Annotated[str, Field(min_length=10)]


DataClass = Literal["organisation", "contact", "identity", "sensitive"]
"""A class of personal data that has a period of its own."""


class HistoryOfClass(Model):
    """How long the values of one class are kept where they are no longer current; what holds them stays."""

    history: Period = Field(
        description="a value in a replaced version, a past golden record or a closed row in quarantine"
    )


class Retention(Model):
    """How long what is no longer the current state is kept; ISO 8601, whole days at least. What is not said is the
    class's (catalog/privacy.yaml). None of it shortens what a rollback still needs."""

    history: Period | None = Field(None, description="a version of a record after another one has taken its place")
    deleted: Period | None = Field(None, description="the content of a record after the source has deleted it")
    quarantine: Period | None = Field(None, description="a row in quarantine after it was closed")
    waiting: Period | None = Field(None, description="a row in quarantine that nobody has repaired or replayed")
    by_class: dict[DataClass, HistoryOfClass] = Field(
        {}, description="classes whose values are erased sooner than the replaced versions that hold them"
    )


class StreamPrivacy(Model):
    """Why a stream's personal data is processed. A stream with personal fields must say it."""

    purpose: Sentence | None = Field(None, description="what the records are processed for, in one sentence")
    legal_basis: LegalBasis | None = Field(None, description="Article 6(1) GDPR")
    law: Sentence | None = Field(
        None, description="the law that obliges (legal_obligation, public_task), or the interest (legitimate_interests)"
    )
    persons: list[Words] = Field([], description="whose data it is, as employees or contact persons of customers")
    recipients: list[Words] = Field([], description="who receives it, besides those of catalog/privacy.yaml")
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _the_basis_is_complete(self) -> StreamPrivacy:
        if self.legal_basis in ("legal_obligation", "public_task", "legitimate_interests") and not self.law:
            what = "the interest" if self.legal_basis == "legitimate_interests" else "the law"
            raise mistake_at("legal_basis", f'legal_basis {self.legal_basis} needs "law: …": {what}, by name')
        return self


class ClassRetention(Model):
    """How long a class of personal data is kept, where a stream says nothing else; as Retention."""

    history: Period
    deleted: Period
    quarantine: Period
    waiting: Period


class TechnicalRetention(Model):
    """How long what Onefold itself records is kept. The audit chain is kept whole."""

    lineage: Period = Field(timedelta(days=180), description="lineage events; of each job the newest stays")
    ledger: Period = Field(
        timedelta(days=400), description="schema ops: gate results, usage, and loads that changed nothing"
    )
    written_out: Period = Field(
        timedelta(days=30), description="values in plans of write-backs that have ended, and in the outbox"
    )
    llm_answers: Period = Field(timedelta(days=90), description="answers of language models that are not asked again")
    landing: Period = Field(timedelta(days=14), description="what a load landed that was never ended")
    airflow: Period = Field(timedelta(days=90), description="runs, tasks and XCom in Airflow's own database")
    task_logs: Period = Field(timedelta(days=90), description="logs of tasks and of the parsing of DAG files")
    server_logs: Period = Field(timedelta(days=30), description="logs of PostgreSQL and of Airflow's services")


class Controller(Model):
    """Who is responsible: Article 30(1)(a) GDPR."""

    name: Sentence
    contact: Sentence
    data_protection_officer: Sentence | None = None


class DataProtection(Model):
    """catalog/privacy.yaml: what is the same for every system."""

    controller: Controller
    retention: dict[DataClass, ClassRetention]
    unclassed: ClassRetention = Field(description="streams without a personal field")
    technical: TechnicalRetention = TechnicalRetention()
    recipients: list[Words] = Field(description="who receives personal data of whatever system")
    transfers: list[Sentence] = Field([], description="transfers to countries outside the EEA, and their safeguards")
    safeguards: list[Sentence] = Field(description="technical and organisational measures: Article 32(1) GDPR")

    def periods(self, classes: Iterable[PersonalClass], own: Retention | None = None) -> ClassRetention:
        """How long records with these classes are kept: of each period the shortest of the classes', and before all
        what the stream itself says. Raises KeyError for a class that the file does not name."""
        named = [self.retention[each] for each in sorted(set(classes)) if each != "none"] or [self.unclassed]
        own = own or Retention()
        return ClassRetention(
            history=own.history or min(each.history for each in named),
            deleted=own.deleted or min(each.deleted for each in named),
            quarantine=own.quarantine or min(each.quarantine for each in named),
            waiting=own.waiting or min(each.waiting for each in named),
        )
