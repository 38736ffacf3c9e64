"""Which encoding a text file is in, told by what is in it.

A byte order mark or well-formed UTF-8 beyond ASCII is proof. The one-byte encodings of Central Europe are told apart
by the words with letters beyond ASCII: read in a wrong encoding they hold signs that stand in no word (W±ż), capitals
in the middle (ŁódĽ), or letters of languages that the stream does not declare. Without evidence nothing is guessed.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from onefold.connectors.files.unfit import Unfit
from onefold.http.spool import CHUNK, chunks

ALPHABETS = {
    "cs": "áčďéěíňóřšťúůýž",
    "de": "äöüß",
    "es": "áéíñóúü",
    "et": "äõöüšž",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "pl": "ąćęłńóśźż",
    "ro": "ăâîșțşţ",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "čšž",
    "sv": "åäöéø",
}
"""Letters beyond ASCII by language (ISO 639-1), as their alphabets have them."""
RELATED = ("cp1250", "iso8859-2", "cp852")
"""Encodings of Central Europe (their names as codecs gives them), which take nearly every byte that another has
written."""
WORDS = 20_000
"""So many different words are evidence enough; more are not held in memory."""
NONE, CAPITAL, FOREIGN = 4, 3, 1
"""What speaks against a reading: a sign that stands in no word, a capital in the middle of one, a foreign letter."""
ENOUGH = 2
"""By so much a reading must be better than any other: one foreign letter may be a foreign name."""
LONGEST_WORD = 200
"""Bytes; what is longer is no word."""
_WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]*[\x80-\xff][0-9A-Za-z\x80-\xff]*")
_SIGNS = frozenset("\u00a0\u00ad€„”“‚‘’–—…‰†‡•™®©§°²³µ·«»×÷‹›")
_BETWEEN = frozenset("\u00a0\u00ad–—’·")
_OPENING, _AFTER = frozenset("„‚«‹"), frozenset("®™‰°²³…")
"""Signs of ordinary texts: beside a word, between two, before one only, and after one only."""
_PART = re.compile(r"[^\W\d_]+")


def encoding_of(file: BinaryIO, declared: Sequence[str], languages: Sequence[str]) -> str:
    """The encoding of the file, one of those declared; the file is then at the first byte of its text.

    The first of the one-byte encodings is the usual one: the file must not speak for another. Any other must be clearly
    better. Raises Unfit.
    """
    names = [codecs.lookup(each).name for each in declared]
    shown = " or ".join(declared)
    file.seek(0)
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _allowed(file, "utf-16", "in UTF-16", names, shown, 0)
    if start.startswith(codecs.BOM_UTF8):
        return _allowed(file, "utf-8", "in UTF-8 with a byte order mark", names, shown, len(codecs.BOM_UTF8))
    if any(name.startswith("utf-16") for name in names) and b"\0" in start:
        return _allowed(file, "utf-16-le" if start[1:2] == b"\0" else "utf-16-be", "in UTF-16", ["utf-16"], shown, 0)
    if names == ["utf-8"] or names == ["utf-8-sig"]:
        return _from_start(file, "utf-8")
    words, utf_8, ascii_only = _words(file)
    if ascii_only:
        return _from_start(file, "ascii" if len(names) > 1 else names[0])
    if utf_8:
        return _allowed(file, "utf-8", "in UTF-8", names, shown, 0)
    one_byte = [name for name in names if not name.startswith("utf-")]
    if not one_byte:
        raise Unfit(f"it is not in the encoding {shown}: it is no well-formed UTF-8")
    return _from_start(file, _told_apart(words, one_byte, languages, shown))


def _allowed(file: BinaryIO, name: str, what: str, names: Sequence[str], shown: str, at: int) -> str:
    if not any(each.removesuffix("-sig").startswith(name.removesuffix("-le").removesuffix("-be")) for each in names):
        raise Unfit(f"it is {what}, not in {shown}")
    file.seek(at)
    return name


def _from_start(file: BinaryIO, name: str) -> str:
    file.seek(0)
    return name


def _words(file: BinaryIO) -> tuple[Counter[bytes], bool, bool]:
    """The words with bytes beyond ASCII and how often each is there; whether all is UTF-8; whether all is ASCII."""
    file.seek(0)
    words, rest = Counter[bytes](), b""
    decoder, utf_8, ascii_only = codecs.getincrementaldecoder("utf-8")(), True, True
    for chunk in chunks(file):
        ascii_only = ascii_only and chunk.isascii()
        if utf_8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                utf_8 = False
        if ascii_only:
            continue
        if len(words) >= WORDS:
            rest = b""
            continue
        text, line, rest = (rest + chunk).rpartition(b"\n")
        words.update(_short_words(text + line))
        if len(rest) > CHUNK:  # no line: it would be held, and searched, again and again
            words.update(_short_words(rest))
            rest = b""
    words.update(_short_words(rest))
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        utf_8 = False
    return words, utf_8, ascii_only


def _short_words(text: bytes) -> Iterator[bytes]:
    return (word for word in _WORD.findall(text) if len(word) <= LONGEST_WORD)


def _told_apart(words: Counter[bytes], names: Sequence[str], languages: Sequence[str], shown: str) -> str:
    """The one encoding in which these are words."""
    if len(names) == 1 and names[0] not in RELATED:
        _require_words(words, names[0], languages, shown)
        return names[0]
    own = _own(languages)
    rivals = list(dict.fromkeys([*names, *(RELATED if any(name in RELATED for name in names) else ())]))
    readings = {name: read for name in rivals if (read := _read(words, name)) is not None}
    against = {name: _against(words, read, own) for name, read in readings.items()}
    cost = {name: sum(each) for name, each in against.items()}
    named = [name for name in names if name in cost]
    if not named:
        raise Unfit(f"it is not in the encoding {shown}: it holds bytes that are not used there")
    best = min(named, key=lambda name: cost[name])  # of equals the one that is named first
    for other, much in cost.items():
        if other == best or readings[other] == readings[best]:
            continue
        if much < cost[best]:
            raise _speaks_for(other, shown)
        if best != names[0] and much - cost[best] < ENOUGH:
            raise Unfit(
                f"its encoding cannot be told: {best} and {other} give different words, both possible. Name the one "
                "encoding under format.encoding, or the languages of its texts under format.languages"
            )
        _require_one(words, against[best], against[other], best, other)
    _require_language(words, readings[best], languages, best)
    return best


def _require_words(words: Counter[bytes], name: str, languages: Sequence[str], shown: str) -> None:
    """An encoding of another part of the world is as declared, unless most words are none in it and are in another."""
    declared, own = _read(words, name), _own(languages)
    for other in RELATED if declared else ():
        if reading := _read(words, other):
            pairs = zip(declared or (), reading, words.values(), strict=True)
            wrong = sum(n for a, b, n in pairs if _weight(a, frozenset(a)) >= CAPITAL and not _weight(b, own))
            if wrong * 2 > words.total():
                raise _speaks_for(other, shown)


def _own(languages: Sequence[str]) -> frozenset[str]:
    return frozenset("".join(ALPHABETS[each] + ALPHABETS[each].upper() for each in languages))


def _speaks_for(other: str, shown: str) -> Unfit:
    return Unfit(
        f"it is not in the encoding {shown}: its words speak for {other}. If that is right, name it under "
        f"format.encoding (a list is told apart file by file); if not, name the language under format.languages"
    )


def _read(words: Counter[bytes], name: str) -> list[str] | None:
    try:
        return [word.decode(name) for word in words]
    except UnicodeDecodeError:
        return None


def _against(words: Counter[bytes], reading: list[str], own: frozenset[str]) -> list[int]:
    return [_weight(word, own) * count for word, count in zip(reading, words.values(), strict=True)]


def _weight(word: str, own: frozenset[str]) -> int:
    """What speaks against this being a word."""
    weight = 0
    for before, letter, after in zip(f" {word}", word, f"{word[1:]} ", strict=False):
        if letter.isascii():
            continue
        if letter.islower() or letter.isupper():  # not isalpha, which the caron by itself is too
            weight += (NONE if before.isdigit() or after.isdigit() else 0) + (0 if letter in own else FOREIGN)
        elif (
            letter not in _SIGNS
            or (before.isalpha() and (letter in _OPENING or (after.isalpha() and letter not in _BETWEEN)))
            or (after.isalpha() and letter in _AFTER)
        ):
            weight += NONE
        elif after.islower() and letter not in _BETWEEN and letter not in "„”“‚‘«‹":
            weight += FOREIGN
    for part in _PART.findall(word):
        if not part.isascii() and not (part.islower() or part.isupper() or part[1:].islower()):
            weight += CAPITAL
    return weight


def _require_one(words: Counter[bytes], against: list[int], other: list[int], best: str, name: str) -> None:
    """A file that was put together of two encodings is in neither."""
    counts = list(words.values())
    differ = sum(c for c, a, b in zip(counts, against, other, strict=True) if a != b)
    wrong = sum(c for c, a, b in zip(counts, against, other, strict=True) if a - b >= CAPITAL * c)
    if wrong * 50 > differ:
        raise Unfit(f"some of its words are in {best}, others in {name}: it was put together of files in both")


def _require_language(words: Counter[bytes], reading: list[str], languages: Sequence[str], best: str) -> None:
    """Letters of all kinds of languages at once are none: the file is in an encoding that is not declared."""
    letters = Counter[str]()
    for word, count in zip(reading, words.values(), strict=True):
        for letter in word:
            if not letter.isascii() and letter.isalpha():
                letters[letter.lower()] += count
    own = frozenset("".join(ALPHABETS[each] for each in languages))
    foreign = {letter: count for letter, count in letters.items() if letter not in own}
    covered = max((sum(foreign.get(letter, 0) for letter in each) for each in ALPHABETS.values()), default=0)
    if (left := sum(foreign.values()) - covered) > 2 and left * 20 > letters.total():
        raise Unfit(f"read as {best}, its letters are those of no language: it is in an encoding that is not declared")
