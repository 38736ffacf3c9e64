"""How SAP spells a company: the business partner with its address, contacts and tax numbers."""

import random
from dataclasses import dataclass

from sandbox.world.company import Company
from sandbox.world.spelling import abbreviated, mistyped, split_legal_form, telephone, to_ascii

BROKEN = ("name_missing", "nip_letters", "country_unknown")
NAME_LENGTH = 40  # OrganizationBPName1 and 2, Edm.String MaxLength="40" in API_BUSINESS_PARTNER's metadata
REGIONS = {
    "dolnośląskie": "DSL",
    "kujawsko-pomorskie": "K-P",
    "lubelskie": "LBL",
    "lubuskie": "LBS",
    "łódzkie": "LDZ",
    "małopolskie": "MAL",
    "mazowieckie": "MAZ",
    "opolskie": "OPO",
    "podkarpackie": "PDK",
    "podlaskie": "PDL",
    "pomorskie": "POM",
    "śląskie": "SLS",
    "świętokrzyskie": "SWK",
    "warmińsko-mazurskie": "W-M",
    "wielkopolskie": "WLK",
    "zachodniopomorskie": "Z-P",
}


@dataclass(frozen=True, slots=True)
class Partner:
    """One business partner as SAP holds it: "" where it holds nothing, None for contacts not kept."""

    name1: str
    name2: str
    blocked: bool
    language: str
    street: str
    house_no: str
    supplement: str
    postal_code: str
    city: str
    region: str
    country: str
    email: str | None
    phone: str | None
    phone_international: str
    taxes: tuple[tuple[str, str], ...]


def _split(name: str) -> tuple[str, str]:
    """The name over two fields of 40 characters, broken between words."""
    if len(name) <= NAME_LENGTH:
        return name, ""
    cut = name.rfind(" ", 0, NAME_LENGTH + 1)
    cut = cut if cut > 0 else NAME_LENGTH
    return name[:cut], name[cut:].strip()[:NAME_LENGTH]


def partner_view(company: Company, style: str, variant: int, broken: str | None) -> Partner:
    """The business partner; `style` seeds every choice of spelling, so that it outlives a change."""
    rng = random.Random(style)
    form_pick, upper, ascii_only, quirk = rng.random(), rng.random() < 0.5, rng.random() < 0.2, rng.random()
    typo = random.Random(rng.random())
    vat_given, nip_given, regon_given = rng.random() < 0.9, rng.random() < 0.9, rng.random() < 0.3
    if not company.nip:  # a firm from abroad, whose name has no plain letters
        ascii_only = nip_given = regon_given = False
    email_given, phone_given, phone_pick = rng.random() < 0.7, rng.random() < 0.7, rng.random()

    def held(text: str) -> str:
        return to_ascii(text) if ascii_only else text

    name = abbreviated(company.name, form_pick)
    if variant and quirk < 0.3:
        name = mistyped(name, typo)
    elif variant and quirk < 0.5:
        name = split_legal_form(company.name)[0]
    name = held(name.upper() if upper else name)
    name1, name2 = ("", "") if broken == "name_missing" else _split(name)
    nip = f"{company.nip[:5]}B{company.nip[6:]}" if broken == "nip_letters" else company.nip
    taxes: list[tuple[str, str]] = []
    if company.eu_vat and vat_given:
        taxes.append(("PL0", f"PL{company.nip}"))
    if nip_given or broken == "nip_letters":
        taxes.append(("PL1", nip))
    if regon_given:
        taxes.append(("PL3", company.regon))
    return Partner(
        name1=name1,
        name2=name2,
        blocked=company.status != "active",
        language="PL",
        street=held(company.street),
        house_no=company.house_no,
        supplement=company.flat_no or "",
        postal_code=company.postal_code,
        city=held(company.city.upper() if upper else company.city),
        region=REGIONS.get(company.voivodeship, ""),
        country="XX" if broken == "country_unknown" else company.country,
        email=company.email if email_given else None,
        phone=telephone(company.phone, phone_pick).removeprefix("+48 ") if phone_given else None,
        phone_international=company.phone if phone_given else "",
        taxes=tuple(taxes),
    )
