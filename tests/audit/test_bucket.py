"""A bucket with object lock: what is put there stays, and verify reads what was there first."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator

import pytest

from onefold.audit import anchor, last_anchor, read_checkpoint
from onefold.warehouse.post_commit import anchor_and_deliver
from tests.audit.conftest import Here
from tests.http.web_server import Asked, Say, WebServer, serving


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """The store; who asks it signs with keys that it does not look at."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    with serving() as web:
        yield web


def test_a_checkpoint_is_put_into_a_bucket_locked_and_never_over_another_one(
    here: Here, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_CHECKPOINTS", f"s3://evidence/audit?days=30&endpoint={web.url}")
    web.script(Say(200, b""), Say(503, b""), Say(412, b""), Say(403, b"<Error><Code>AccessDenied</Code></Error>"))
    anchor_and_deliver(here.loader)
    (put,) = web.asked
    newest = last_anchor(here.anchors)
    assert newest is not None
    origin = read_checkpoint(newest.checkpoint).checkpoint.origin
    assert (put.method, put.path) == ("PUT", f"/evidence/audit/{origin}/000000000005.checkpoint")
    assert put.body.decode() == newest.checkpoint
    headers = {name.lower(): value for name, value in put.headers.items()}
    assert headers["if-none-match"] == "*"
    assert headers["x-amz-object-lock-mode"] == "COMPLIANCE"
    until = time.strptime(headers["x-amz-object-lock-retain-until-date"], "%Y-%m-%dT%H:%M:%SZ")
    assert 29 < (time.mktime(until) - time.mktime(time.gmtime())) / 86_400 <= 30
    assert headers["x-amz-checksum-sha256"] == base64.b64encode(hashlib.sha256(put.body).digest()).decode()
    assert "x-amz-object-lock-mode" in headers["authorization"] and "not-a-secret" not in str(headers)
    here.does("load:6")
    anchor_and_deliver(here.loader)
    assert len(web.asked) == 1  # a quarter of an hour lies between two
    for code, said in ((1, "answered 503"), (0, "covers"), (1, "refused a checkpoint with 403 AccessDenied")):
        here.does("load:7")
        anchor(here.loader, here.anchors)
        sent = here.run("places", "--send")
        assert (sent.exit_code, said in sent.output) == (code, True), sent.output


def bucket(web: WebServer) -> dict[str, list[tuple[str, bytes, str]]]:
    """A versioned bucket as S3 answers for one: its keys' versions (id, content, time), the oldest first."""
    keys: dict[str, list[tuple[str, bytes, str]]] = {}

    def answer(asked: Asked) -> Say:
        key = asked.path.removeprefix("/evidence/")
        if asked.method == "PUT":
            keys.setdefault(key, []).append((f"v{len(keys)}", asked.body, "2026-01-01T00:00:00.000Z"))
            return Say(200, b"")
        if asked.path == "/evidence":
            assert asked.params["prefix"] == "audit/"
            kinds = [
                (key, each, "DeleteMarker" if each[1] == b"" else "Version")
                for key in sorted(keys)
                for each in keys[key]
            ]
            listed = "".join(
                f"<{kind}><Key>{key}</Key><VersionId>{version}</VersionId><IsLatest>false</IsLatest>"
                f"<LastModified>{at}</LastModified></{kind}>"
                for key, (version, _, at), kind in reversed(kinds)
            )
            xmlns = "http://s3.amazonaws.com/doc/2006-03-01/"
            whole = f'<ListVersionsResult xmlns="{xmlns}"><IsTruncated>false</IsTruncated>{listed}</ListVersionsResult>'
            return Say(200, whole.encode(), {"Content-Type": "application/xml"})
        return Say(200, next(body for version, body, _ in keys[key] if version == asked.params["versionId"]))

    web.answer = answer
    return keys


def test_what_is_in_the_bucket_is_compared_and_the_oldest_version_counts(
    here: Here, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"s3://evidence/audit?endpoint={web.url}"
    monkeypatch.setenv("ONEFOLD_CHECKPOINTS", place)
    keys = bucket(web)
    anchor_and_deliver(here.loader)
    (key,) = keys
    assert here.run("verify").exit_code == 0
    here.rewrite(4)
    here.anchor_anew()
    for_ever = here.run("verify")
    assert (for_ever.exit_code, "BROKEN at event 5: the events up to it differ" in for_ever.output) == (1, True)
    forged = last_anchor(here.anchors)
    assert forged is not None
    keys[key] += [
        ("over", forged.checkpoint.encode(), "2026-02-01T00:00:00.000Z"),
        ("gone", b"", "2026-03-01T00:00:00Z"),
    ]
    monkeypatch.delenv("ONEFOLD_CHECKPOINTS")
    assert here.run("verify").exit_code == 0  # as one machine alone sees it
    found = here.run("verify", "--with", place)
    assert (found.exit_code, "overwritten or deleted (versions: 3)" in found.output) == (1, True), found.output
    assert "BROKEN at event 5" in found.output
    keys[key] = keys[key][1:]  # a store that lets the first version be deleted has no lock
    assert here.run("verify", "--with", place).exit_code == 0


def test_a_bucket_that_cannot_be_read_is_told_and_refused_where_it_was_asked_for(
    here: Here, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"s3://evidence/audit?endpoint={web.url}"
    web.script(Say(403, b"<Error><Code>AccessDenied</Code></Error>"))
    refused = here.run("verify", "--with", place)
    assert (refused.exit_code, "refused to be read with 403" in refused.output) == (1, True), refused.output
    monkeypatch.setenv("ONEFOLD_CHECKPOINTS", place)
    told = here.run("verify")
    assert (told.exit_code, "Not read, and so not compared" in told.output) == (0, True), told.output
