"""Signed notes and keys are those of Go's golang.org/x/mod/sumdb/note: its own test vector, both ways."""

from __future__ import annotations

import pytest

from onefold.audit.checkpoint import Checkpoint, read_checkpoint
from onefold.audit.signed_note import generate, read_note, read_signer, read_verifier, sign
from onefold.errors import Fatal

PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)  # fmt: skip
NOTE = (
    f"{TEXT}\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_signed_here_is_byte_for_byte_what_go_signs() -> None:
    assert sign(TEXT, [read_signer(PRIVATE)]) == NOTE
    assert read_signer(PRIVATE).text == PRIVATE
    assert read_signer(PRIVATE).verifier == read_verifier(PUBLIC)
    assert read_verifier(PUBLIC).text == PUBLIC


def test_a_note_that_go_signed_is_verified_and_a_changed_one_is_not() -> None:
    key = read_verifier(PUBLIC)
    assert read_note(NOTE).signed_by(key)
    assert not read_note(NOTE.replace("answer", "Answer")).signed_by(key)
    assert not read_note(NOTE.replace("x08go", "x08gp")).signed_by(key)  # another key's id
    assert not read_note(NOTE).signed_by(generate("PeterNeumann").verifier)


@pytest.mark.parametrize(
    "text",
    [
        PUBLIC[:-1],
        PUBLIC.replace("c74f20a3", "c74f20a4"),
        PUBLIC.replace("+ARpc", "+AhPc"),
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # an unknown algorithm, with its key id
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "",
    ],
)
def test_a_mangled_key_is_refused(text: str) -> None:
    with pytest.raises(Fatal):
        read_verifier(text)


def test_the_private_key_shows_in_no_repr_and_no_error() -> None:
    signer = read_signer(PRIVATE)
    assert repr(signer.seed) not in repr(signer) and "AYEKFALV" not in repr(signer)
    with pytest.raises(Fatal) as refused:
        read_signer(PRIVATE[:-4])
    assert "AYEKFALV" not in str(refused.value)


@pytest.mark.parametrize(
    "note", [TEXT, f"{TEXT}\n", f"{TEXT}\n- PeterNeumann x08g\n", NOTE[:-1], NOTE.replace(",\n", ",\t")]
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(Fatal):
        read_note(note)


@pytest.mark.parametrize("text", ["log\n07\nAAAA\n", "log\n7\nAAAA\n", "log\n7\n", "\n7\nAAAA\n", "log\n-1\nAAAA\n"])
def test_a_note_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Fatal):
        read_checkpoint(sign(text, [read_signer(PRIVATE)]))


def test_a_checkpoint_is_three_lines_under_the_name_of_its_log() -> None:
    signer = generate("example.com/log")
    note = Checkpoint("example.com/log", 7, bytes(32)).signed([signer])
    assert note.startswith("example.com/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— example.com/log ")
    assert read_checkpoint(note).signed_by(signer.verifier)
    other = Checkpoint("example.com/other", 7, bytes(32)).signed([signer])
    assert not read_checkpoint(other).signed_by(signer.verifier)  # a key speaks for its own log only
