"""Files of an SFTP server and of a WebDAV server are those of the folder behind it, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest

from onefold.connectors.files.store import Folder, Unreadable
from onefold.errors import Fatal, Retriable
from tests.connectors.files.remote import PASSWORD, Remote, sftp, webdav

ODD = ("żółw ąę.csv", "100% & #1?.csv", "a+b;c=d.csv", "'quoted\".csv", "new\nline.csv")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Remote]]:
    roots = {name: tmp_path_factory.mktemp(name) / "root" for name in ("sftp", "webdav")}
    for root in roots.values():
        root.mkdir()
    with sftp(roots["sftp"]) as over_ssh, webdav(roots["webdav"]) as over_http:
        yield {"sftp": over_ssh, "webdav": over_http}


def emptied(server: Remote) -> Remote:
    for path in server.root.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    server.attempts.clear()
    server.passwords.clear()
    return server


@pytest.fixture(params=["sftp", "webdav"])
def remote(request: pytest.FixtureRequest, servers: dict[str, Remote]) -> Remote:
    return emptied(servers[request.param])


@pytest.fixture
def over_ssh(servers: dict[str, Remote]) -> Remote:
    return emptied(servers["sftp"])


@pytest.mark.parametrize("pattern", ["*.csv", "2026/*.csv", "**/*.csv", "2026/**/entry?.csv", "none/*.csv"])
def test_a_server_gives_what_the_folder_gives(remote: Remote, pattern: str):
    names = ["a.csv", "b.csv.gz", "c.txt", "2026/a.csv", "2026/01/entry1.csv", "2026/01/02/entry2.csv", "x/y/z.csv"]
    for number, name in enumerate([*names, *(odd for odd in ODD if "\n" not in odd or "sftp" in remote.endpoint.url)]):
        remote.write(name, f"id\n{number}\n".encode())
    folder = Folder(remote.root, "office")
    expected = {}
    for file in folder.found(pattern):
        taken = folder.take(file)
        assert taken
        expected[file.name] = (file.size, file.fault, taken.content.read())
    with remote.open() as store:
        given = {}
        for file in store.found(pattern):
            taken = store.take(file)
            assert taken
            assert abs((file.modified - datetime.now(UTC)).total_seconds()) < 60
            given[file.name] = (file.size, file.fault, taken.content.read())
    assert given == expected
    assert bool(given) == (not pattern.startswith("none"))
    assert {attempt.status for attempt in remote.attempts} <= {"ok", 200, 207, 404}


def test_a_file_that_is_another_one_by_now_is_not_taken(remote: Remote):
    for name in ("changed.csv", "gone.csv", "grown.csv", "same.csv"):
        remote.write(name)
        os.utime(remote.root / name, (1_700_000_000, 1_700_000_000))
    with remote.open() as store:
        found = {file.name: file for file in store.found("*.csv")}
        remote.write("changed.csv", b"id\n2\n")
        (remote.root / "gone.csv").unlink()
        remote.write("grown.csv", b"id\n1\n2\n")
        assert [store.take(found[name]) for name in ("changed.csv", "gone.csv", "grown.csv")] == [None, None, None]
        taken = store.take(found["same.csv"])
    assert taken and taken.content.read() == b"id\n1\n"


def test_a_folder_that_is_not_there_is_no_empty_one(remote: Remote):
    elsewhere = replace(remote.endpoint, url=f"{remote.endpoint.url}/nowhere")
    for pattern in ("*.csv", "2026/*.csv"):
        with remote.open(elsewhere) as store, pytest.raises(Retriable, match="'office' names"):
            list(store.found(pattern))


def test_a_wrong_password_is_refused_and_not_told(remote: Remote):
    wrong = replace(remote.endpoint, password="hush-hush-8")
    with remote.open(wrong) as store, pytest.raises(Fatal, match="Check login") as raised:
        list(store.found("*.csv"))
    assert "hush-hush" not in f"{raised.value}{remote.attempts}"


def test_a_server_with_another_key_is_sent_no_password(over_ssh: Remote):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    unknown = pytest.raises(Fatal, match="has another key than the one in host_key")
    with over_ssh.open(replace(over_ssh.endpoint, extra={"host_key": other})) as store, unknown:
        list(store.found("*.csv"))
    assert over_ssh.passwords == []
    with over_ssh.open() as store:
        assert list(store.found("*.csv")) == []
    assert over_ssh.passwords == [PASSWORD]


@pytest.mark.parametrize("key", [None, "", "no key", "ssh-ed25519 AAAA"])
def test_a_connection_without_a_host_key_says_how_to_get_it(over_ssh: Remote, key: str | None):
    endpoint = replace(over_ssh.endpoint, extra={} if key is None else {"host_key": key})
    with pytest.raises(Fatal, match="ssh-keyscan HOST"), over_ssh.open(endpoint):
        pass


def test_a_private_key_lets_in_in_place_of_a_password(over_ssh: Remote):
    over_ssh.write("a.csv")
    extra = dict(over_ssh.endpoint.extra or {})
    extra["private_key"] = extra.pop("test_private_key")
    closed = pytest.raises(Fatal, match="private_key_passphrase does not open it")
    with closed, over_ssh.open(replace(over_ssh.endpoint, extra=extra)):
        pass
    extra["private_key_passphrase"] = "open"
    with over_ssh.open(replace(over_ssh.endpoint, extra=extra)) as store:
        assert [file.name for file in store.found("*.csv")] == ["a.csv"]
    assert over_ssh.passwords == []


def test_a_connection_that_is_cut_is_opened_again(over_ssh: Remote):
    over_ssh.write("a.csv")
    with over_ssh.open() as store:
        (file,) = store.found("*.csv")
        over_ssh.cut()
        taken = store.take(file)
    assert taken and taken.content.read() == b"id\n1\n"
    assert [attempt.error for attempt in over_ssh.attempts if attempt.error] != []


def test_a_link_out_of_the_folder_is_not_followed_and_a_name_that_is_no_text_stops_only_itself(over_ssh: Remote):
    over_ssh.write("a.csv")
    (over_ssh.root.parent / "secret.csv").write_text("id\n9\n")
    (over_ssh.root / "out.csv").symlink_to(over_ssh.root.parent / "secret.csv")
    (over_ssh.root / "in.csv").symlink_to("a.csv")
    (over_ssh.root / "lost.csv").symlink_to("nowhere")
    (over_ssh.root / "outside").symlink_to(over_ssh.root.parent)
    Path(os.fsdecode(os.fsencode(over_ssh.root) + b"/\xb3.csv")).write_text("id\n3\n")
    found = over_ssh.found("*.csv")
    assert {name: file.fault for name, file in found.items()} == {
        "a.csv": None,
        "in.csv": None,
        "\\xb3.csv": "its name is not UTF-8: give it another",
    }
    assert over_ssh.found("outside/*.csv") == {}
    assert over_ssh.found("**/*.csv").keys() == found.keys()


@pytest.mark.parametrize("error", ["SFTPFailure", "SFTPPermissionDenied", "SFTPOpUnsupported", "SFTPInvalidParameter"])
def test_a_file_that_the_server_does_not_give_stops_only_itself_and_is_not_named(over_ssh: Remote, error: str):
    over_ssh.write(f"{error} jan kowalski.csv")
    over_ssh.write("good.csv")
    with over_ssh.open() as store:
        good, bad = sorted(store.found("*.csv"), key=lambda file: file.name != "good.csv")
        with pytest.raises(Unreadable, match="the server does not give it"):
            store.take(bad)
        taken = store.take(good)
    assert taken and taken.content.read() == b"id\n1\n"
    assert over_ssh.attempts[-1].bytes == len(b"id\n1\n")
    assert "kowalski" not in str(over_ssh.attempts)


def test_a_name_that_is_too_long_stops_only_itself(remote: Remote):
    deep = "/".join(["x" * 200] * 5)
    remote.write(f"{deep}/a.csv")
    remote.write("b.csv")
    faults = {file.name.rpartition("/")[2]: file.fault for file in remote.found("**/*.csv").values()}
    assert faults == {"a.csv": "its name, with its folders, is longer than 1000 bytes: shorten it", "b.csv": None}


def test_a_folder_that_cannot_be_listed_is_named_and_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x.csv").write_text("id\n1\n")
    scan = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)  # root may list every folder
    assert [file.name for file in Folder(tmp_path, "office").found("a/*.csv")] == ["a/x.csv"]
    with pytest.raises(Fatal, match="may not or cannot be listed"):
        list(Folder(tmp_path, "office").found("**/*.csv"))
