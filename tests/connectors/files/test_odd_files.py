"""What may lie in a drop folder besides files: none of it blocks the stream, or is waited for, or is read for ever."""

from __future__ import annotations

import gzip
import io
import os
import socket
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from onefold.connectors.files import csv_file, reader, store
from onefold.connectors.files.store import Folder
from tests.connectors.files.office import HEADER, YESTERDAY, Office, csv, keys, office, read, refused, states
from tests.connectors.files.test_bad_files import SOUND_XML, xml

GOOD = csv("1;31.01.2026;1,00;x")
AT = (YESTERDAY.timestamp(), YESTERDAY.timestamp())


def fifo(path: Path) -> None:
    os.mkfifo(path)
    os.utime(path, AT)


def unix_socket(path: Path) -> None:
    os.chdir(path.parent)  # the path of a socket has room for a hundred characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.utime(path, AT)


def device(path: Path) -> None:
    os.mknod(path, 0o020644, os.makedev(0, 0))  # the one that Linux lets everybody make (overlayfs's whiteout)
    os.utime(path, AT)


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def not_utf_8(path: Path) -> None:
    odd = path.parent / os.fsdecode(b"\xff\xfe.csv")
    odd.write_bytes(GOOD)
    os.utime(odd, AT)


KINDS = {
    "a FIFO": (fifo, "no regular file"),
    "a socket": (unix_socket, "no regular file"),
    "a device": (device, "no regular file"),
    "a link to itself": (link_to_itself, "cannot be looked at"),
    "a name that is not UTF-8": (not_utf_8, "its name is not UTF-8"),
}


@pytest.mark.parametrize(("make", "why"), KINDS.values(), ids=KINDS.keys())
def test_what_is_no_file_is_refused_and_the_files_beside_it_are_read(
    folder: Office, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], why: str
) -> None:
    monkeypatch.chdir(folder.root.parent)
    folder.drop("good.csv", GOOD, minutes=5)
    make(folder.root / "in" / "odd.csv")
    pages = read(folder)
    assert keys(pages) == ["1"]
    assert [why in text for text in refused(pages).values()] == [True]
    assert keys(read(folder, states(pages))) == []


def test_a_device_that_gives_bytes_for_ever_is_refused() -> None:
    assert "no regular file" in str(store._found("a.csv", Path("/dev/zero").stat(), as_it_is=True).fault)


def test_a_name_beyond_what_a_key_holds_is_refused_and_stored_short(drops: Office) -> None:
    drops.system = office(request={"path": "in/**/*.csv"})
    drops.drop("good.csv", GOOD)
    drops.drop("/".join(["x" * 250] * 12) + "/long.csv", GOOD)
    assert drops.load().state == "published" and set(drops.current()) == {"1"}
    names = drops.query("select partition, checkpoint from ops.stream_checkpoint where partition like 'in/x%'")
    assert len(names) == 1 and len(names[0][0]) < 200 and "shorten it" in names[0][1]
    assert drops.load().state == "published"


def test_a_file_that_has_become_a_fifo_is_not_waited_for(folder: Office) -> None:
    path = folder.drop("a.csv", GOOD)
    place = Folder(folder.root, "office")
    (found,) = place.found("in/*.csv")
    path.unlink()
    fifo(path)
    assert place.take(found) is None


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_load(
    folder: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = folder.drop("a.csv", GOOD)
    folder.drop("b.csv", csv("2;31.01.2026;1,00;x"), minutes=1)

    def slowly(source: BinaryIO) -> Iterator[bytes]:
        for _ in range(200):
            if os.fstat(source.fileno()).st_ino == growing.stat().st_ino:
                with growing.open("ab") as more:
                    more.write(b"9" * 100)
            if not (piece := source.read(50)):
                return
            yield piece
        raise AssertionError("it is read on and on")

    with monkeypatch.context() as patched:
        patched.setattr(store, "chunks", slowly)
        pages = read(folder)
    assert keys(pages) == ["2"] and refused(pages) == {}
    growing.write_bytes(GOOD)
    os.utime(growing, AT)
    assert keys(read(folder, states(pages))) == ["1"]


def test_a_file_that_may_not_be_read_is_told_and_tried_again_by_each_load(
    folder: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.drop("a.csv", GOOD)
    folder.drop("b.csv", csv("2;31.01.2026;1,00;x"), minutes=1)
    opened, path_open = os.open, Path.open

    def denied(path: object, *how: object, **more: object) -> int:
        if str(path).endswith("a.csv"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *how, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", denied)
        patched.setattr(
            Path, "open", lambda path, mode: denied(path) if path.name == "a.csv" else path_open(path, mode)
        )
        pages = read(folder)
    assert keys(pages) == ["2"] and "Permission denied" in refused(pages)["in/a.csv"]
    assert keys(read(folder, states(pages))) == ["1"]


@pytest.mark.parametrize("seconds", [253_402_300_800, -(10**12), 2**63 - 1])
def test_a_time_of_change_beyond_the_calendar_is_a_fault_of_that_file(seconds: int) -> None:
    stat = os.stat_result((0o100644, 1, 1, 1, 0, 0, 5, seconds, seconds, seconds))
    assert "calendar" in str(store._found("a.csv", stat, as_it_is=True).fault)


def limited(**limits: int) -> dict[str, object]:
    return {"limits": office().limits.model_copy(update=limits)}


@pytest.mark.parametrize(
    ("name", "content", "limits", "why"),
    [
        ("b.csv", csv(*["2;31.01.2026;1,00;x"] * 60_000), {"file_mib": 1}, "limits.file_mib"),
        ("b.csv", gzip.compress(csv(*[f"{n};31.01.2026;1,00;{os.urandom(9).hex()}" for n in range(30_000)])), {}, ""),
    ],
)
def test_a_file_beyond_a_limit_is_refused_until_the_limit_is_raised(
    folder: Office, name: str, content: bytes, limits: dict[str, int], why: str
) -> None:
    if not limits:
        limits, why = {"unpacked_mib": 1}, "unpacked from"
    folder.drop("a.csv", GOOD)
    folder.drop(name, content, minutes=1)
    folder.system = folder.system.model_copy(update=limited(**limits))
    pages = read(folder)
    assert keys(pages) == ["1"] and why in refused(pages)[f"in/{name}"]
    assert keys(read(folder, states(pages))) == []
    folder.system = folder.system.model_copy(update=limited())
    assert len(keys(read(folder, states(pages)))) >= 30_000


def test_a_member_of_an_archive_whose_name_is_not_utf_8_spoils_its_archive_only(folder: Office) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ąą.csv", GOOD)
    folder.drop("a.csv.zip", packed.getvalue().replace("ąą".encode(), b"\xff\xfe\xff\xfe"))
    folder.drop("b.csv", csv("2;31.01.2026;1,00;x"), minutes=1)
    pages = read(folder)
    assert keys(pages) == ["2"] and list(refused(pages)) == ["in/a.csv.zip"]


@pytest.mark.parametrize("kind", [RecursionError, OverflowError, UnicodeError, MemoryError, KeyError])
def test_whatever_the_reader_of_a_file_falls_over_that_file_is_refused_without_its_words(
    folder: Office, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def broken(file: BinaryIO, name: str, *more: object) -> Iterator[object]:
        if "a.csv" in name:
            raise kind("44051401458")
        return csv_file.csv_rows(file, name, *more)

    monkeypatch.setattr(reader, "csv_rows", broken)
    folder.drop("a.csv", GOOD)
    folder.drop("b.csv", csv("2;31.01.2026;1,00;x"), minutes=1)
    pages = read(folder)
    assert keys(pages) == ["2"]
    assert kind.__name__ in refused(pages)["in/a.csv"] and "44051401458" not in str(pages[-1].ended)


def test_a_line_without_an_end_is_not_held_in_memory(folder: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "LONGEST_LINE", 5000, raising=False)
    folder.drop("a.csv", f"{HEADER}\n1;31.01.2026;1,00;".encode() + b"x" * 9000 + b"\n")
    folder.drop("b.csv", csv("2;31.01.2026;1,00;x"), minutes=1)
    pages = read(folder)
    assert keys(pages) == ["2"] and "a line of it" in refused(pages)["in/a.csv"]


def test_a_record_of_ten_thousand_levels_waits_in_quarantine_and_the_others_load(drops: Office) -> None:
    drops.system = xml()
    deep = "<wpis><nr>2</nr><opis>" + "<a>" * 10_000 + "</a>" * 10_000 + "</opis></wpis>"
    drops.drop("a.xml", f"<k>{SOUND_XML}{deep}{SOUND_XML.replace('<nr>1<', '<nr>3<')}</k>".encode())
    assert drops.load().state == "published"
    assert set(drops.current()) == {"1", "3"}
    assert len(drops.quarantine()) == 1
    assert drops.load().state == "published"


@pytest.mark.parametrize(
    ("name", "modified", "size", "is_text", "said"),
    [
        ("a.csv", YESTERDAY, 1, True, None),
        (f"{'x' * 1001}.csv", YESTERDAY, 1, True, "longer than 1000 bytes"),
        (f"{'ż' * 501}.csv", YESTERDAY, 1, True, "longer than 1000 bytes"),
        ("a.csv", YESTERDAY, 1, False, "is not UTF-8"),
        ("a.csv", None, 1, True, "does not say"),
        ("a.csv", YESTERDAY, None, True, "does not say"),
    ],
)
def test_what_no_store_may_give_has_its_fault(
    name: str, modified: datetime | None, size: int | None, is_text: bool, said: str | None
):
    file = store.found_as(name, modified, size, "tag", is_text=is_text)
    assert file.fault is None if said is None else said in (file.fault or "")
    assert file.name.endswith(".csv")  # the pattern fits it as before
