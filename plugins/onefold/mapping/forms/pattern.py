r"""Reads the small regular expressions in which libraries keep numbering plans and postal codes, and asks about them.

Known: literals, \d, classes, groups, |, ?, {m}, {m,n}. Anchors are passed over: a pattern is meant for the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

DIGITS = frozenset("0123456789")

_TOKEN = re.compile(r"\\[dbB]|\[(?:\\.|[^\]\\])+\]|\(\?:|\(\?![^()]*\)|[()|?^$]|\{\d+(?:,\d+)?\}|\\?.")


@dataclass(frozen=True)
class Repeat:
    """A part of a pattern, `least` to `most` times."""

    part: Part
    least: int
    most: int


@dataclass(frozen=True)
class Sequence:
    """Parts one after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Choice:
    """One of several parts."""

    parts: tuple[Part, ...]


Part = frozenset[str] | Repeat | Sequence | Choice


def parse(pattern: str) -> Part:
    """The pattern as a tree. Raises ValueError when it holds something that is not known here."""
    tokens = _TOKEN.findall(pattern)
    part, rest = _choice(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"cannot read the pattern {pattern!r} from its token {rest} on")
    return part


def _choice(tokens: list[str], at: int) -> tuple[Part, int]:
    ways: list[Part] = []
    parts: list[Part] = []
    while at < len(tokens) and tokens[at] != ")":
        piece = tokens[at]
        at += 1
        if piece == "|":
            ways.append(Sequence(tuple(parts)))
            parts = []
        elif piece in ("(", "(?:"):
            part, at = _choice(tokens, at)
            parts.append(part)
            at += 1
        elif piece == "?":
            parts[-1] = Repeat(parts[-1], 0, 1)
        elif piece[0] == "{" and len(piece) > 1:
            least, _, most = piece[1:-1].partition(",")
            parts[-1] = Repeat(parts[-1], int(least), int(most or least))
        elif piece not in ("^", "$", r"\b"):
            parts.append(_letters(piece))
    return Choice((*ways, Sequence(tuple(parts)))) if ways else Sequence(tuple(parts)), at


def _letters(piece: str) -> frozenset[str]:
    if piece == r"\d":
        return DIGITS
    if piece[0] != "[" or len(piece) == 1:
        if piece in ("*", "+", "."):
            raise ValueError(f"a pattern holds {piece!r}, which is not known here")
        return frozenset(piece[-1])
    letters: set[str] = set()
    inner = piece[1:-1].replace(r"\d", "0-9").replace("\\", "")
    for found in re.finditer(r"(.)-(.)|(.)", inner):
        first, last, single = found.groups()
        letters |= {single} if single else {chr(code) for code in range(ord(first), ord(last) + 1)}
    return frozenset(letters)


def texts(part: Part) -> Iterator[str]:
    """Every text that the part matches, where each character class has few members; with repetitions."""
    if isinstance(part, frozenset):
        yield from sorted(part)
    elif isinstance(part, Choice):
        for way in part.parts:
            yield from texts(way)
    elif isinstance(part, Repeat):
        for times in range(part.least, part.most + 1):
            yield from texts(Sequence((part.part,) * times))
    elif part.parts:
        for start in texts(part.parts[0]):
            for end in texts(Sequence(part.parts[1:])):
                yield start + end
    else:
        yield ""


@dataclass
class Automaton:
    """A pattern as a nondeterministic automaton: its moves by state, and the state in which it has matched."""

    moves: dict[int, list[tuple[frozenset[str] | None, int]]] = field(default_factory=dict)
    last: int = 0

    @classmethod
    def of(cls, part: Part) -> Automaton:
        """The automaton of the pattern; it begins in state 0."""
        made = cls()
        made.last = made._add(part, 0)
        return made

    def _add(self, part: Part, start: int) -> int:
        if isinstance(part, frozenset):
            return self._move(start, part)
        if isinstance(part, Choice):
            ends = [self._add(way, self._move(start, None)) for way in part.parts]
            together = self._move(ends[0], None)
            for end in ends[1:]:
                self.moves.setdefault(end, []).append((None, together))
            return together
        if isinstance(part, Repeat):
            state = start
            skipped: list[int] = []
            for time in range(part.most):
                if time >= part.least:
                    skipped.append(state)
                state = self._add(part.part, state)
            end = self._move(state, None)
            for state in skipped:
                self.moves.setdefault(state, []).append((None, end))
            return end
        for each in part.parts:
            start = self._add(each, start)
        return self._move(start, None)

    def _move(self, start: int, letters: frozenset[str] | None) -> int:
        self.moves.setdefault(start, [])
        state = len(self.moves)
        self.moves[state] = []
        self.moves[start].append((letters, state))
        return state

    def begin(self) -> frozenset[int]:
        """The states before anything is read."""
        return self._free({0})

    def after(self, states: frozenset[int], letter: str) -> frozenset[int]:
        """The states after one more letter; none when nothing that begins so matches."""
        return self._free(
            {to for state in states for letters, to in self.moves[state] if letters and letter in letters}
        )

    def _free(self, states: set[int]) -> frozenset[int]:
        waiting = list(states)
        while waiting:
            for letters, to in self.moves[waiting.pop()]:
                if letters is None and to not in states:
                    states.add(to)
                    waiting.append(to)
        return frozenset(states)


def prefixes_by_length(pattern: str, depth: int = 3) -> dict[int, list[int]]:
    """Of the texts of digits that the pattern matches: by their length, the first `depth` digits that there are, as
    ascending numbers. Texts shorter than `depth` are left out."""
    automaton = Automaton.of(parse(pattern))

    @cache
    def lengths(states: frozenset[int]) -> frozenset[int]:
        found = {0} if automaton.last in states else set()
        for after in {automaton.after(states, digit) for digit in DIGITS} - {frozenset()}:
            found |= {length + 1 for length in lengths(after)}
        return frozenset(found)

    prefixes: dict[int, list[int]] = {}

    def walk(states: frozenset[int], prefix: str) -> None:
        if len(prefix) == depth:
            for length in lengths(states):
                prefixes.setdefault(length + depth, []).append(int(prefix))
            return
        for digit in sorted(DIGITS):
            if after := automaton.after(states, digit):
                walk(after, prefix + digit)

    walk(automaton.begin(), "")
    return prefixes


def ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Distinct ascending numbers as closed ranges."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
