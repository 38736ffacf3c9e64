"""Who is named on the invoices of KSeF: a company as it first was, since an invoice never changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import escape

from sandbox.ksef.books import company, is_nip
from sandbox.white_list.api import bank_account
from sandbox.world import business

OUR_ACCOUNT = "61109010140000071219812874"


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or a buyer."""

    nip: str
    name: str
    street: str
    town: str
    email: str
    phone: str
    account: str

    def identifier(self, variety: str | None = None) -> tuple[str, str | None]:
        """KSeF's kind of identifier and the number: abroad, or without one, where the variety says so."""
        if variety == "eu_buyer":
            return "VatUe", f"DE{self.nip[:9]}"
        if variety == "other_buyer":
            return "Other", f"US-{self.nip}"
        if variety == "buyer_without_id":
            return "None", None
        return ("Nip" if is_nip(self.nip) else "Other"), self.nip

    def described(self, variety: str | None = None) -> str:
        """Its elements from DaneIdentyfikacyjne on."""
        kind, number = self.identifier(variety)
        who = {
            "Nip": f"<NIP>{number}</NIP>",
            "VatUe": f"<KodUE>DE</KodUE><NrVatUE>{self.nip[:9]}</NrVatUE>",
            "Other": f"<KodKraju>{'US' if variety else 'PL'}</KodKraju><NrID>{number}</NrID>",
            "None": "<BrakID>1</BrakID>",
        }[kind]
        return (
            f"<DaneIdentyfikacyjne>{who}<Nazwa>{escape(self.name)}</Nazwa></DaneIdentyfikacyjne>"
            f"<Adres><KodKraju>PL</KodKraju><AdresL1>{escape(self.street)}</AdresL1><AdresL2>{escape(self.town)}</AdresL2>"
            f"</Adres><DaneKontaktowe><Email>{self.email}</Email><Telefon>{self.phone}</Telefon></DaneKontaktowe>"
        )


US = Party(
    business.OUR_NIP, business.OUR_NAME, "Prosta 20", "00-850 Warszawa", "faktury@jednorodny.example.pl",
    "+48221234567", OUR_ACCOUNT,
)  # fmt: skip


@lru_cache(65536)
def party(seed: int, company_id: int) -> Party:
    """The company as it is named on invoices."""
    at = company(seed, company_id)
    street = f"{at.street} {at.house_no}" + (f"/{at.flat_no}" if at.flat_no else "")
    account = bank_account(seed, company_id, 0)
    return Party(at.nip, at.name, street, f"{at.postal_code} {at.city}", at.email, at.phone, account)
