"""Places outside: what the engine sends there it cannot take back, and a place that is down delays nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from onefold.audit import anchor, anchors, last_anchor
from onefold.audit.places.append_only import AppendOnlyFile
from onefold.audit.places.place import read_places
from onefold.audit.places.sending import last_sent
from onefold.audit.places.timestamp import stamped, time_of
from onefold.errors import Fatal
from onefold.warehouse.post_commit import anchor_and_deliver
from sandbox.time_stamp.authority import Authority, routes
from tests.audit.conftest import Here
from tests.debian import libraries, unpack
from tests.http.web_server import Asked, Say, WebServer, serving

NOBODY = 65534


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file for checkpoints that another account has laid ready."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / "anchor.jsonl"
        path.touch()
        path.chmod(0o666)
        monkeypatch.setenv("ONEFOLD_CHECKPOINTS", f"file:{path}")
        yield path
        if shutil.which("chattr"):
            subprocess.run(["chattr", "-a", path], check=False, capture_output=True)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as web:
        yield web


def test_every_checkpoint_is_appended_to_a_file_elsewhere_also_those_that_it_missed(here: Here, kept: Path) -> None:
    anchor_and_deliver(here.loader)
    assert [each.seq for each in anchors(kept)] == [3, 5]
    for number in range(6, 60):  # further back than the end of the anchor file
        here.does(f"load:{number}")
        anchor(here.loader, here.anchors)
    anchor_and_deliver(here.loader)
    assert list(anchors(kept)) == list(anchors(here.anchors))
    assert here.run("verify").exit_code == 0
    assert here.run("places").exit_code == 0


def test_a_chain_rewritten_with_its_anchors_is_found_by_the_file_elsewhere(here: Here, kept: Path) -> None:
    anchor_and_deliver(here.loader)
    here.rewrite(4)
    here.anchor_anew()
    found = here.run("verify")
    assert (found.exit_code, "BROKEN at event 5: hash differs" in found.output) == (1, True)
    honest = here.anchors.with_name("taken.jsonl")
    honest.write_text(kept.read_text())
    here.does("load:6")
    anchor_and_deliver(here.loader)
    assert [each.seq for each in anchors(kept)][-1] == 6  # the forger goes on, but cannot take the old lines back
    shutil.copy(kept, honest)
    assert here.run("verify", "--with", honest).exit_code == 1


def test_an_anchor_file_that_was_begun_anew_is_found_by_the_file_elsewhere(here: Here, kept: Path) -> None:
    anchor_and_deliver(here.loader)
    here.anchors.unlink()
    here.delete_stored_anchors()
    here.does("load:6")
    anchor(here.loader, here.anchors)
    found = here.run("verify")
    assert (found.exit_code, "is not in the anchor file" in found.output) == (1, True)


REWRITES = """
import fcntl, os, pathlib, sys
sys.path.insert(0, {plugins!r})
from onefold.audit.places.append_only import AppendOnlyFile
path = pathlib.Path({path!r})
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
def tried(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "done"
def overwrite():
    descriptor = os.open(path, os.O_WRONLY)
    os.pwrite(descriptor, b"x", 0)
def add():
    with open(path, "ab") as file:
        file.write(b"")
print(tried(lambda: os.truncate(path, 0)), tried(overwrite), tried(path.unlink), tried(lambda: path.rename("/tmp/x")),
      tried(add), AppendOnlyFile("file:x", path).how_to_rewrite())
"""


@pytest.mark.parametrize("kind", ["append-only", "writable"])
def test_the_engines_account_can_add_to_an_append_only_file_and_do_nothing_else(kept: Path, kind: str) -> None:
    """A file that is not append-only, as an account other than root lays it ready, keeps its name alone: it is told."""
    kept.parent.chmod(0o711 if os.geteuid() == 0 else 0o511)  # in the folder this account may change nothing
    may_lock = kind == "append-only" and shutil.which("chattr")
    locked = bool(may_lock) and not subprocess.run(["chattr", "+a", kept], capture_output=True).returncode
    plugins = str(Path(__file__).parents[2] / "plugins")
    program = REWRITES.format(plugins=plugins, path=str(kept), nobody=NOBODY)
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    kept.parent.chmod(0o711)
    *content, unlinked, renamed, added, how = said.stdout.split(maxsplit=5)
    assert (unlinked, renamed, added) == ("PermissionError", "PermissionError", "done")
    assert content == ["PermissionError" if locked else "done"] * 2
    assert how.strip() == "None" if locked else "not append-only" in how
    if os.geteuid() == 0:
        root = AppendOnlyFile("file:x", kept).how_to_rewrite()
        assert root is not None and "root" in root


def test_a_place_that_is_not_there_is_told_and_no_commit_fails(here: Here, kept: Path) -> None:
    kept.unlink()
    anchor_and_deliver(here.loader)
    shown = here.run("places")
    assert shown.exit_code == 1
    assert "takes no checkpoints: No such file or directory" in shown.output and "chattr +a" in shown.output
    assert last_anchor(here.anchors) is not None


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("ftp://x", "is no place"),
        ("file:relative", "is no place"),
        ("s3://bucket/x?days=0", "is no place"),
        ("s3://bucket/x?acl=public", "is no place"),
        ("tsa:https://tsa.example", "ONEFOLD_TSA_CA names no file"),
        ("tsa:https://user:secret@tsa.example", "name or password"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_and_repeats_no_password(setting: str, says: str) -> None:
    with pytest.raises(Fatal, match=says) as refused:
        read_places(setting)
    assert "secret" not in str(refused.value)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with pytest.MonkeyPatch.context() as patch:
        if not shutil.which("openssl"):
            cache = tmp_path_factory.mktemp("openssl")
            unpack("openssl", cache)
            patch.setenv("PATH", f"{cache}/usr/bin", prepend=os.pathsep)
            patch.setenv("LD_LIBRARY_PATH", libraries(cache))
        yield Authority(tmp_path_factory.mktemp("authority"))


def test_a_checkpoint_is_time_stamped_and_anybody_can_check_it(
    here: Here, web: WebServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def answer(asked: Asked) -> Say:
        assert asked.headers["Content-Type"] == "application/timestamp-query"
        return Say(200, authority.reply(asked.body), {"Content-Type": "application/timestamp-reply"})

    web.answer = answer
    monkeypatch.setenv("ONEFOLD_CHECKPOINTS", f"tsa:{web.url}")
    monkeypatch.setenv("ONEFOLD_TSA_CA", str(authority.roots))
    anchor_and_deliver(here.loader)
    (note,) = stamped(here.anchors)
    assert abs(time_of(note, authority.roots).timestamp() - time.time()) < 60
    assert here.run("verify").exit_code == 0
    assert "1 from 20" in here.run("places").output

    here.rewrite(4)
    here.anchor_anew()  # the time-stamp of what was before remains
    found = here.run("verify")
    assert (found.exit_code, "BROKEN at event 5: the events up to it differ" in found.output) == (1, True)

    forged = last_anchor(here.anchors)
    assert forged is not None
    note.write_text(forged.checkpoint)  # as if the forged one had been stamped then
    found = here.run("verify")
    assert (found.exit_code, "is no time-stamp of 000000000005.checkpoint" in found.output) == (1, True)


def test_the_sandbox_answers_as_a_time_stamp_authority(authority: Authority) -> None:
    client = TestClient(Starlette(routes=routes(authority)))
    assert client.get("/root.pem").content == authority.roots.read_bytes()
    refused = client.post("/", content=b"no query")
    assert refused.status_code == 200 and b"\x02\x01\x02" in refused.content  # PKIStatus 2, rejection


def test_what_is_no_stamp_of_this_checkpoint_by_this_authority_is_refused(
    here: Here, web: WebServer, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    monkeypatch.setenv("ONEFOLD_CHECKPOINTS", f"tsa:{web.url}")
    monkeypatch.setenv("ONEFOLD_TSA_CA", str(authority.roots))
    first: list[bytes] = []

    def replayed(asked: Asked) -> Say:
        first.append(authority.reply(asked.body))
        return Say(200, first[0])

    for answer, said in (
        (lambda asked: Say(200, other.reply(asked.body)), "gave no good time-stamp"),
        (lambda asked: Say(200, b"<html>"), "gave no good time-stamp"),
        (lambda asked: Say(503), "answered 503"),
    ):
        web.answer = answer
        sent = here.run("places", "--send")
        assert (sent.exit_code, said in sent.output) == (1, True), sent.output
        assert stamped(here.anchors) == []
    web.answer = replayed
    assert here.run("places", "--send").exit_code == 0
    here.does("load:6")
    anchor(here.loader, here.anchors)
    sent = here.run("places", "--send")  # the answer to an older question
    assert (sent.exit_code, "gave no good time-stamp" in sent.output) == (1, True)
    assert [note.stem for note in stamped(here.anchors)] == ["000000000005"]
    assert last_sent(here.anchors)[f"tsa:{web.url}"].seq == 5
