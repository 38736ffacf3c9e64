"""Files that are late, half-written, sent again or changed while they are read: what is read, and when."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from onefold.connectors.files import store as file_store
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Rejected, Retriable
from onefold.load.window import WindowRequest
from tests.connectors.files.office import HEADER, YESTERDAY, Office, csv, keys, office, read, refused, states


def test_amounts_are_exact_and_dates_are_iso_whatever_the_office_writes(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1 234,56;Żółw", "2;01.02.2026;1\u00a0000 000,10;", "3;;-0,05;x"))
    drops.load()
    assert drops.current() == {"1": ("1234.56", "Żółw"), "2": ("1000000.10", None), "3": ("-0.05", "x")}
    assert drops.query("select _payload ->> 'data' from staging.office__entry where _key = '1'") == [("2026-01-31",)]


def test_a_number_that_could_be_two_goes_to_quarantine_and_is_not_guessed(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1.234;x", "2;06/05/2026;1,00;x", "3;31.01.2026;1,00;x"))
    drops.load()
    assert drops.current().keys() == {"3"}
    assert [(key, reason) for key, reason, _ in drops.quarantine()] == [
        ("1", "kwota cannot be read as numeric"),
        ("2", "data cannot be read as date"),
    ]


def test_each_file_is_loaded_exactly_once(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    assert drops.load().rows_read == 1
    assert drops.load().rows_read == 0
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"), minutes=5)  # touched, with nothing changed in it
    assert drops.load().rows_read == 0
    assert [
        checkpoint
        for (checkpoint,) in drops.query("select checkpoint from ops.stream_checkpoint where partition = 'in/a.csv'")
    ]


def test_a_file_sent_again_under_another_name_makes_no_version(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    drops.load()
    drops.drop("a (1).csv", csv("1;31.01.2026;1,00;x"), minutes=60)
    again = drops.load()
    assert (again.rows_read, again.rows_new, again.rows_changed) == (1, 0, 0)


def test_a_corrected_file_replaces_what_it_changes_and_nothing_else(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x", "2;31.01.2026;2,00;y"))
    drops.load()
    drops.drop("a_kor.csv", csv("1;31.01.2026;1,00;x", "2;31.01.2026;2,50;y"), minutes=60)
    assert (load := drops.load()).rows_changed == 1
    assert load.rows_new == 0
    assert drops.current() == {"1": ("1.00", "x"), "2": ("2.50", "y")}


def test_an_older_file_that_arrives_late_is_read_and_does_not_overwrite_newer_rows(drops: Office):
    drops.drop("new.csv", csv("1;31.01.2026;2,00;new"))
    drops.load()
    drops.drop("old.csv", csv("1;31.01.2026;1,00;old", "2;31.01.2026;1,00;only here"), minutes=-9000)
    assert drops.load().rows_read == 2
    assert drops.current() == {"1": ("2.00", "new"), "2": ("1.00", "only here")}


def test_files_dropped_with_old_dates_into_a_folder_that_was_empty_are_read(drops: Office):
    (drops.root / "in").mkdir(parents=True)
    drops.load()
    drops.drop("old.csv", csv("1;31.01.2026;1,00;x"), minutes=-900_000)
    assert drops.load().rows_new == 1


def test_a_bad_file_is_set_aside_with_its_reason_and_tried_again_when_it_has_changed(drops: Office):
    drops.drop("bad.csv", csv("1;31.01.2026;1,00", header="nr;data;kwota"))
    drops.drop("good.csv", csv("2;31.01.2026;2,00;y"))
    load = drops.load()
    assert (load.state, load.rows_new, load.rows_quarantined) == ("published", 1, 1)
    assert drops.quarantine() == [("in/bad.csv", "the header has no column opis", "open")]
    again = drops.load()
    assert (again.rows_read, again.rows_quarantined) == (0, 0)  # known as it is
    drops.drop("bad.csv", csv("1;31.01.2026;1,00;now"), minutes=1)
    assert drops.load().rows_new == 1
    assert [state for *_, state in drops.quarantine()] == ["superseded"]


def test_a_file_set_aside_is_read_when_the_catalogue_has_been_fixed(folder: Office):
    folder.drop("a.csv", csv("1;31.01.2026;1,00;x;7", header=f"{HEADER};mpk"))
    before = read(folder)
    assert refused(before)
    assert keys(read(folder, states(before))) == []
    folder.system = office(ignore=["mpk"])
    assert keys(read(folder, states(before))) == ["1"]


@pytest.mark.parametrize(
    "name", ["a.csv.tmp", "a.csv.part", "a.csv.filepart", ".a.csv", "~$a.csv", "a.csv.crdownload", "a.csv~"]
)
def test_a_file_under_a_name_of_transfers_on_their_way_is_left_alone(folder: Office, name: str):
    folder.system = office(request={"path": "in/*"})
    folder.drop(name, csv("1;31.01.2026;1,00;x"))
    assert keys(read(folder)) == []
    (folder.root / "in" / name).rename(folder.root / "in" / "a.csv")
    assert keys(read(folder)) == ["1"]


def test_a_file_that_was_written_a_moment_ago_is_left_alone_until_it_has_settled(folder: Office):
    folder.system = office(arrival={"settled": "PT60S"})
    path = folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    now = datetime.now(UTC).timestamp()
    os.utime(path, (now - 10, now - 10))
    first = read(folder)
    assert keys(first) == []
    os.utime(path, (now - 70, now - 70))
    assert keys(read(folder, states(first))) == ["1"]


def test_a_file_without_its_marker_is_left_alone(folder: Office):
    folder.system = office(arrival={"marker": ".done"})
    folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    first = read(folder)
    assert keys(first) == []
    folder.drop("a.csv.done", b"", minutes=9)
    assert keys(read(folder, states(first))) == ["1"]


@pytest.mark.parametrize("how", ["appended", "replaced", "deleted"])
def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_load(
    folder: Office, how: str, monkeypatch: pytest.MonkeyPatch
):
    path = folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    folder.drop("b.csv", csv("2;31.01.2026;1,00;x"), minutes=1)
    pieces = file_store.chunks

    def disturbed(source: io.BufferedReader) -> Iterator[bytes]:
        yield from pieces(source)
        if Path(source.name) == path:
            match how:
                case "appended":
                    with path.open("ab") as more:
                        more.write(b"9;31.01.2026;9,00;half")
                case "replaced":
                    other = folder.drop("other", csv("1;31.01.2026;7,00;x"))
                    other.replace(path)
                case "deleted":
                    path.unlink()

    monkeypatch.setattr(file_store, "chunks", disturbed)
    pages = read(folder)
    assert keys(pages) == ["2"]
    assert "in/a.csv" not in states(pages)
    monkeypatch.undo()
    if how == "replaced":
        (again,) = [r for page in read(folder, states(pages)) for r in page.records]
        assert json.loads(again.payload)["kwota"] == "7.00"


def test_a_folder_that_is_not_there_is_no_empty_one(folder: Office):
    with pytest.raises(Retriable, match="is not there"):
        read(folder)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder: Office, tmp_path: Path):
    folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    secret = tmp_path / "secret.csv"
    secret.write_bytes(csv("2;31.01.2026;1,00;x"))
    (folder.root / "in" / "b.csv").symlink_to(secret)
    assert keys(read(folder)) == ["1"]


def test_a_load_that_was_cut_short_goes_on_in_the_middle_of_a_file(folder: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("onefold.connectors.files.reader.PAGE", 3)
    for file in range(3):
        rows = [f"{file}-{n};31.01.2026;1,00;x" for n in range(4)]
        folder.drop(f"{file}.csv", csv(*rows), minutes=file)
    window = Window(BEGINNING, datetime.now(UTC))
    whole = list(folder.reader()(window, None))
    assert [len(page.records) for page in whole] == [3, 3, 3, 3]
    for taken, page in enumerate(whole[:-1], start=1):
        rest = list(folder.reader()(window, page.token))
        assert keys(whole[:taken]) + keys(rest) == keys(whole)


def test_a_large_file_needs_no_more_memory_than_a_small_one(folder: Office):
    peaks = []
    for rows in (2_000, 20_000):
        folder.drop("a.csv", csv(*(f"{n};31.01.2026;1 234,56;opis wiersza" for n in range(rows))))
        tracemalloc.start()
        count = sum(len(page.records) for page in folder.reader()(Window(BEGINNING, datetime.now(UTC)), None))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == rows
    assert peaks[1] < peaks[0] + 8 * 1024 * 1024  # what lies in temporary files is held in memory up to 4 MiB each


def test_a_backfill_of_a_window_reads_its_files_again(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    drops.drop("old.csv", csv("2;31.01.2026;1,00;x"), minutes=-9000)
    drops.load()
    window = WindowRequest(YESTERDAY - timedelta(hours=1), YESTERDAY + timedelta(hours=1), exactly=True)
    again = drops.load(requested=window)
    assert (again.rows_read, again.rows_new, again.rows_changed) == (1, 0, 0)


def test_a_stream_of_one_file_lacks_what_the_newer_version_of_it_lacks(drops: Office):
    drops.system = office(request={"path": "in/all.csv"})
    drops.drop("all.csv", csv("1;31.01.2026;1,00;x", "2;31.01.2026;2,00;y"))
    drops.load()
    drops.drop("all.csv", csv("2;31.01.2026;2,00;y"), minutes=60)
    assert drops.load().rows_deleted == 1
    living = "select _key from staging.office__entry__current where not _deleted"
    assert drops.query(living) == [("2",)]
    assert drops.load().rows_deleted == 0  # the file is known as it is, and is not read
    drops.drop("all.csv", csv(header="nr;data;kwota"), minutes=120)
    assert drops.load().rows_deleted == 0  # a file that is refused lacks nothing
    drops.drop("all.csv", csv(), minutes=180)
    with pytest.raises(Rejected, match="the listing is empty"):
        drops.load()
    assert drops.query(living) == [("2",)]
