"""What an invoice in KSeF is, before it is written: its kind, form, parties and rate."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal

from sandbox.ksef.books import invoice, kind_of, purchase
from sandbox.ksef.parties import US, Party, party
from sandbox.ksef.varieties import TYPES, is_older_form, is_rounded
from sandbox.nbp import api as nbp
from sandbox.world import Entry, business

ROUNDING = Decimal("0.02")
_CURRENCY = next(place for place, each in enumerate(nbp.CURRENCIES) if each[0] == "EUR")


@dataclass(frozen=True, slots=True)
class Facts:
    """One invoice as KSeF holds it; `bought`: we are its buyer."""

    seed: int
    companies: int
    entry: Entry
    bought: bool = False

    @property
    def of(self) -> business.Invoice:
        if self.bought:
            return purchase(self.seed, self.entry.number, self.companies)
        found = invoice(self.seed, self.entry.number, self.companies)
        if found is None:
            raise ValueError(f"there is no document {self.entry.number}")
        return found

    @property
    def key(self) -> str:
        """Its KSeF number."""
        return str(self.entry.key)

    @property
    def variety(self) -> str | None:
        """Of which less common kind it is; None where it is broken, too."""
        return None if self.entry.broken else kind_of(self.seed, self.entry.number, self.companies, bought=self.bought)

    @property
    def gross(self) -> Decimal:
        """What there is to pay. KSeF does not check that it is the sum of its parts: some suppliers round."""
        plain = self.bought and not self.entry.broken and self.variety is None and self.of.corrects is None
        return self.of.order.gross + (ROUNDING if plain and is_rounded(self.key) else 0)

    @property
    def form(self) -> str:
        """The form that it is written in."""
        if self.variety == "farmer":
            return "FA_RR (1)"
        return "FA (2)" if not self.entry.broken and is_older_form(self.key, self.of.issued) else "FA (3)"

    @property
    def type(self) -> str:
        """KSeF's invoiceType."""
        if self.of.corrects is None:
            return TYPES.get(self.variety or "", "Vat")
        corrected = kind_of(self.seed, self.corrected, self.companies, bought=self.bought)
        return {"advance": "KorZal", "settlement": "KorRoz"}.get(corrected or "", "Kor")

    @property
    def corrected(self) -> int:
        """The number of the document that this one corrects."""
        return (self.of.corrects or 0) * (1 if self.bought else 2)

    @property
    def parties(self) -> tuple[Party, Party]:
        """Seller and buyer."""
        other = party(self.seed, self.of.order.company)
        return (other, US) if self.bought else (US, other)

    @property
    def rate(self) -> Decimal:
        """NBP's average rate of the last working day before the invoice (art. 31a of the VAT act)."""
        days = range(nbp.rows(0) // len(nbp.CURRENCIES))
        before = bisect_left(days, self.of.issued, key=lambda place: nbp.day_of(place * len(nbp.CURRENCIES))) - 1
        return nbp.average(self.seed, max(before, 0) * len(nbp.CURRENCIES) + _CURRENCY)

    def zlotys(self, amount: Decimal) -> Decimal:
        """The amount at that rate."""
        return amount if self.of.order.currency == "PLN" else (amount * self.rate).quantize(business.CENT)
