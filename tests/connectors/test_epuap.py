"""An inbox is emptied only of what is published: pulled, stored, and confirmed after the commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from onefold.connectors.page import PageReader
from onefold.errors import Fatal, Rejected
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.load.usage import Usage
from onefold.quality.suite import FOLDER
from onefold.systems.epuap import Inbox
from sandbox.stand_ins import connections
from tests.connectors.reading import connector, reader
from tests.connectors.registers import SYSTEMS, Asker, Sandbox, client, read_all, running

EPUAP = SYSTEMS["epuap"]
ALL = 60
_runs = count(1)


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), companies=60, systems=("epuap",)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    started.reset()
    return started


def connection(sandbox: Sandbox) -> Endpoint:
    given = connections(sandbox.url)["epuap"]
    return Endpoint(given["host"], given["login"], given["password"], given["extra"])


@dataclass
class Office:
    """Loads the inbox into a warehouse. `fails` is raised instead of confirming."""

    sandbox: Sandbox
    url: str
    fails: BaseException | None = None

    def job(self) -> Job:
        endpoint = connection(self.sandbox)

        @contextmanager
        def source(stream_name: str, usage: Usage) -> Iterator[PageReader]:
            with self._client(usage) as http:
                yield reader(EPUAP, stream_name, endpoint, http, Asker([]))

        def told(stream_name: str, usage: Usage, keys: Sequence[str]) -> None:
            if self.fails:
                raise self.fails
            with self._client(usage) as http:
                connector(EPUAP, stream_name, endpoint, http).acknowledge(keys)

        return Job(
            system=EPUAP,
            stream_name="document",
            run=Run("sync__epuap", f"manual__{next(_runs)}", "os:tester"),
            source=source,
            source_url=endpoint.url,
            warehouse_url=self.url,
            entities={},
            run_is_over=lambda dag_id, run_id: True,
            suites=FOLDER,
            acknowledge=told,
        )

    def load(self) -> Load:
        job = self.job()
        steps.land(job)
        steps.gate(job)
        return steps.publish(job)

    def waiting(self) -> int:
        with client(EPUAP, connection(self.sandbox)) as http:
            return Inbox(EPUAP, connection(self.sandbox), http).waiting()

    def stored(self) -> tuple[int, int]:
        """How many documents staging and the quarantine hold."""
        return self.query(
            "select (select count(*) from staging.epuap__document), (select count(*) from ops.quarantine)"
        )[0]

    def query(self, text: str) -> list[tuple]:
        with psycopg.connect(self.url) as database:
            return database.execute(text).fetchall()

    def _client(self, usage: Usage) -> Client:
        return client(EPUAP, connection(self.sandbox), on_attempt=usage.add)


@pytest.fixture
def office(sandbox: Sandbox, loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return Office(sandbox, loader_url)


def test_documents_are_confirmed_when_they_are_published_and_not_before(office):
    job = office.job()
    steps.land(job)
    steps.gate(job)
    assert office.waiting() == ALL
    load = steps.publish(job)
    assert office.waiting() == 0
    assert sum(office.stored()) == load.rows_read == ALL
    assert office.stored()[1] == load.rows_quarantined > 0  # what waits in quarantine is stored as well
    confirmed = office.query("select payload ->> 'records', result from audit.event where action = 'load.acknowledge'")
    assert confirmed == [(str(ALL), "ok")]
    assert office.query("select sum(requests) from ops.usage") == [(1 + ALL + ALL,)]


class Killed(BaseException):
    """The end of the loading process."""


def test_a_crash_between_publish_and_confirmation_brings_no_document_twice_and_the_next_load_confirms(office):
    office.fails = Killed()
    with pytest.raises(Killed):
        office.load()
    assert (sum(office.stored()), office.waiting()) == (ALL, ALL)
    office.fails = None
    load = office.load()
    assert (load.rows_read, load.rows_new, load.rows_changed, load.rows_quarantined) == (ALL, 0, 0, 0)
    assert (sum(office.stored()), office.waiting()) == (ALL, 0)


def test_a_service_that_cannot_be_told_undoes_nothing_and_is_told_with_the_next_load(office):
    office.sandbox.fault("epuap", "status", code=503, path="potwierdzOdebranie", times=-1)
    assert office.load().state == "published"
    assert (sum(office.stored()), office.waiting()) == (ALL, ALL)
    assert office.query("select result from audit.event where action = 'load.acknowledge'") == [("failed",)]
    office.sandbox.control("DELETE", "faults")
    assert office.load().rows_new == 0
    assert (sum(office.stored()), office.waiting()) == (ALL, 0)


def test_a_load_that_the_gate_refuses_confirms_nothing(office):
    office.sandbox.fault("epuap", "rename_field", field="identyfikator", to="id", times=-1)
    with pytest.raises(Rejected):
        office.load()
    assert office.waiting() == ALL


def test_a_queue_that_gives_the_same_document_until_it_is_confirmed_is_emptied_load_by_load(office, monkeypatch):
    monkeypatch.setenv("SANDBOX_EPUAP_QUEUE", "head")
    assert [office.load().rows_new for _ in range(3)] == [1, 1, 1]
    assert office.waiting() == ALL - 3


@pytest.mark.parametrize("kind", ["cut_body", "html"])
def test_a_document_whose_answer_was_lost_on_the_way_comes_with_the_next_round(office, kind):
    office.sandbox.fault("epuap", kind, path="pobierzNastepny", after=5, times=3)
    assert office.load().rows_read == ALL
    assert office.waiting() == 0


def test_an_extraction_goes_on_after_its_token_with_what_was_not_taken(sandbox):
    with client(EPUAP, connection(sandbox)) as http:
        read = reader(EPUAP, "document", connection(sandbox), http, Asker([]))
        pages = read(None, None)
        taken = [next(pages), next(pages)]
        pages.close()
        rest = list(read(None, taken[-1].token))
    keys = [record.key for page in (*taken, *rest) for record in page.records]
    assert len(keys) == len(set(keys)) == ALL
    assert rest[-1].token is None


def other_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"private_key": "no key"}, "the message could not be signed. Check private_key and certificate"),
        ({"private_key": ""}, 'has no "private_key" in its extra, and auth x509 needs it'),
        ({"podmiot": ""}, "lacks podmiot"),
        ({"skrot": "md5"}, "is none of sha1, sha256"),
    ],
)
def test_a_connection_that_cannot_sign_is_fatal_and_shows_no_key(sandbox, extra, said):
    endpoint = replace(connection(sandbox), extra={**connection(sandbox).extra, **extra})
    with client(EPUAP, endpoint) as http, pytest.raises(Fatal) as raised:
        read_all(reader(EPUAP, "document", endpoint, http, Asker([])))
    assert said in str(raised.value)
    assert "BEGIN" not in str(raised.value) and "BEGIN" not in repr(endpoint)


def test_a_message_signed_by_another_key_is_refused_by_the_service(sandbox):
    endpoint = replace(connection(sandbox), extra={**connection(sandbox).extra, "private_key": other_key()})
    with client(EPUAP, endpoint) as http, pytest.raises(Fatal, match=r"FailedCheck.*Airflow connection 'epuap'"):
        read_all(reader(EPUAP, "document", endpoint, http, Asker([])))


def test_a_message_that_was_altered_on_the_way_is_refused_by_the_service(sandbox):
    with client(EPUAP, connection(sandbox)) as http:
        send = http.send

        def altered(*where, body=None, **how):
            return send(*where, body=body.replace(b"<nazwaSkrytki>domyslna", b"<nazwaSkrytki>inna"), **how)

        http.send = altered
        with pytest.raises(Fatal, match="FailedCheck"):
            read_all(reader(EPUAP, "document", connection(sandbox), http, Asker([])))
