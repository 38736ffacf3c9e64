"""A4 pages with the few kinds of text that the report has, in any letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from fpdf import FPDF, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from onefold.subject_report.letters import FONT, Letters, require_font
from onefold.subject_report.right_to_left import is_right_to_left, shape_line, starts_right

_LINE = 5
_GREY = (90, 90, 90)
_LIGHT = (235, 235, 235)
_MOST_LETTERS = 600
"""Of a cell; so many of the widest fit on a page in the narrowest column."""
_LETTERS_A_LINE = 20
"""Of _MOST_LETTERS, which the end of a line takes."""


class Pages(FPDF):
    """A document; footer: what stands at the foot of every page besides its number."""

    def __init__(self, title: str, footer: str, made_at: datetime, number: str, fonts: Sequence[Path] = ()) -> None:
        """number: of the report. It marks where the count of pages comes: no value of a source can hold it."""
        super().__init__(format="A4")
        self._footer = footer
        self._count = f"{{{number}}}"
        self.alias_nb_pages(self._count)
        self.set_title(title)
        self.set_lang("en")
        self.set_creator("Onefold")
        self.set_creation_date(made_at)
        named = {"report": FONT, **{f"more{place}": font for place, font in enumerate(fonts)}}
        for name, font in named.items():
            require_font(font)
            self.add_font(name, fname=font)
        self.set_fallback_fonts(list(named)[1:], exact_match=False)
        self._letters = Letters(
            point for font in self.fonts.values() if isinstance(font, TTFFont) for point in font.cmap
        )
        self.set_auto_page_break(auto=True, margin=18)
        self.add_page()

    @property
    def letters_named(self) -> int:
        """How many letters no font could show."""
        return self._letters.named

    def footer(self) -> None:
        """What every page says, and its number."""
        self.set_y(-14)
        self.set_font("report", size=8)
        self.set_text_color(*_GREY)
        self.cell(0, _LINE, f"Page {self.page_no()} of {self._count} - {self._footer}")
        self.set_text_color(0, 0, 0)

    def heading(self, text: str, size: int = 13) -> None:
        """The title of a section; the reader's list of contents has it too."""
        self.ln(4)
        if self.will_page_break(6 * _LINE):
            self.add_page()
        shown = self._letters.name_missing(text)
        self.start_section(shown)
        self._write(text, size)
        self.ln(1)

    def subheading(self, text: str) -> None:
        """The title of a part of a section."""
        self.ln(2)
        self.set_text_color(*_GREY)
        self._write(text, 9)
        self.set_text_color(0, 0, 0)

    def lines(self, texts: Iterable[str]) -> None:
        """A line each."""
        for text in texts:
            self._write(text, 9)

    def facts(self, facts: Mapping[str, str]) -> None:
        """Names and what they are."""
        self.lines(f"{name}: {value}" for name, value in facts.items())

    def rows(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; a value that is too long for a page goes on in the rows below."""
        self.set_font("report", size=8)
        shares = (30, 50, 20) if len(heads) == 3 else (35, 65)
        widths = [self.epw * share / 100 - 2 * self.c_margin for share in shares]
        heading = FontFace(emphasis="", fill_color=_LIGHT)
        with self.table(
            col_widths=shares, line_height=4, text_align="LEFT", v_align="T", headings_style=heading
        ) as table:
            table.row(heads)
            for cells in (part for row in rows for part in _parts([self._letters.name_missing(cell) for cell in row])):
                row = table.row()
                for cell, width in zip(cells, widths, strict=True):
                    row.cell(self._as_seen(cell, width), align="R" if starts_right(cell) else "L")

    def _write(self, text: str, size: int) -> None:
        self.set_font("report", size=size)
        shown = self._as_seen(self._letters.name_missing(text), self.epw - 2 * self.c_margin)
        self.multi_cell(0, _LINE, shown, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")

    def _as_seen(self, text: str, width: float) -> str:
        """The text, whose lines from right to left are broken here: a line's order is known only once it is one."""
        if not is_right_to_left(text):
            return text
        lines = [part for line in text.split("\n") for part in self._broken(line, width)]
        return "\n".join(shape_line(line, self._letters.has_glyph) for line in lines)

    def _broken(self, line: str, width: float) -> list[str]:
        lines = [""]
        for word in line.split(" "):
            for part in self._fitting(word, width):
                longer = f"{lines[-1]} {part}" if lines[-1] else part
                if self._fits(longer, width):
                    lines[-1] = longer
                else:
                    lines.append(part)
        return lines

    def _fitting(self, word: str, width: float) -> Iterator[str]:
        """The word, in parts where it is longer than a line."""
        if len(word) < 2 or self._fits(word, width):
            yield word
        else:
            for half in (word[: len(word) // 2], word[len(word) // 2 :]):
                yield from self._fitting(half, width)

    def _fits(self, line: str, width: float) -> bool:
        return self.get_string_width(shape_line(line, self._letters.has_glyph)) <= width


def _parts(row: Sequence[str]) -> list[tuple[str, ...]]:
    """The row in as many rows as its longest value needs: one that does not fit on a page cannot be drawn."""
    parts = list(zip_longest(*map(_cut, row), fillvalue=""))
    return [(each[0] or "(continued)", *each[1:]) if place else each for place, each in enumerate(parts)]


def _cut(cell: str) -> list[str]:
    pieces, room = [""], _MOST_LETTERS
    for letter in cell:
        takes = _LETTERS_A_LINE if letter == "\n" else 1
        if room < takes:
            pieces.append("")
            room = _MOST_LETTERS
        pieces[-1] += letter
        room -= takes
    return pieces
