"""How Salesforce spells a company: the fields of one Account."""

import random
from datetime import UTC, datetime

from sandbox.world.abroad import UNREADABLE, write_as_sellers_do
from sandbox.world.company import Company
from sandbox.world.foreign import FIRST, land_of, vat_number
from sandbox.world.identifiers import spoil_check_digit
from sandbox.world.share import share
from sandbox.world.spelling import abbreviated, mistyped, split_legal_form, street_line, telephone

Value = str | float | bool | None
BROKEN = (
    "name_missing",
    "nip_checksum",
    "credit_limit_not_a_number",
    "status_unknown",
    "country_unknown",
)
ODD = {"phone_unreadable": 0.02}
"""Further codes, each with the share of the other rows that have it."""
STALE_ADDRESS_SHARE = 0.08


def _name(company: Company, variant: int, rng: random.Random) -> str:
    form_pick, case_pick, quirk = rng.random(), rng.random(), rng.random()
    typo = random.Random(rng.random())
    name = abbreviated(company.name, form_pick)
    stem, _ = split_legal_form(company.name)
    if variant and quirk < 0.3:
        name = mistyped(name, typo)
    elif variant and quirk < 0.5:
        name = stem
    elif quirk < 0.05:
        name = name.replace(stem, f"„{stem}”")
    elif quirk < 0.15:
        name = company.name
    elif quirk < 0.18:
        name = stem
    elif quirk < 0.20:
        name = mistyped(name, typo)
    if case_pick < 0.2:
        return name.upper()
    return name.lower() if case_pick < 0.25 else name


def _nip(nip: str, pick: float) -> str:
    dashed = f"{nip[:3]}-{nip[3:6]}-{nip[6:8]}-{nip[8:]}"
    ways = (nip, nip, dashed, f"PL{nip}", dashed.replace("-", " "))
    return ways[int(pick * len(ways))]


def timestamp(moment: datetime) -> str:
    """Salesforce's dateTime, to the second, in UTC: 2026-03-01T10:11:12.000+0000."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def account_fields(company: Company, style: str, variant: int, broken: str | None) -> dict[str, Value]:
    """The Account's fields save the system's own (Id, IsDeleted and the stamps).

    `style` seeds every choice of spelling, so that a record keeps its spelling when the company changes.
    NIP__c may be null, "" or absent: three ways of not saying it.
    """
    rng = random.Random(style)
    name = _name(company, variant, rng)
    nip_given, nip_pick, nip_absence = rng.random() < 0.8, rng.random(), rng.random()
    regon_given, regon_long = rng.random() < 0.5, rng.random() < 0.4
    krs_given, krs_bare = rng.random() < 0.3, rng.random() < 0.3
    if not company.nip:  # a firm from abroad
        nip_given = regon_given = krs_given = False
    email_given, email_upper = rng.random() < 0.88, rng.random() < 0.1
    phone_given, phone_pick = rng.random() < 0.9, rng.random()
    stale, street_pick, city_upper = rng.random() < STALE_ADDRESS_SHARE, rng.random(), rng.random() < 0.15
    country = rng.choice(("Polska", "Polska", "Poland", "PL", "POLAND"))
    if company.id >= FIRST:
        country = rng.choice(land_of(company.id).ways)
    prospect, credit_given = rng.random() < 0.1, rng.random() < 0.9

    street = street_line(company.street, company.house_no, company.flat_no, street_pick, company.country)
    city, postal_code = company.city, company.postal_code
    if stale:
        street = street_line(company.former_street, company.former_house_no, company.former_flat_no, street_pick)
        city, postal_code = company.former_city, company.former_postal_code
    active = "Prospect" if prospect else "Active"
    krs = company.krs if krs_given else None
    fields: dict[str, Value] = {
        "Name": name,
        "NIP__c": _nip(company.nip, nip_pick) if nip_given or broken == "nip_checksum" else None,
        "REGON__c": (company.regon + ("00000" if regon_long else "")) if regon_given else None,
        "KRS__c": krs.lstrip("0") if krs and krs_bare else krs,
        "Email__c": (company.email.upper() if email_upper else company.email) if email_given else None,
        "Phone": telephone(company.phone, phone_pick) if phone_given else None,
        "BillingStreet": street,
        "BillingCity": city.upper() if city_upper else city,
        "BillingPostalCode": postal_code,
        "BillingCountry": country,
        "Status__c": active if company.status == "active" else "Inactive",
        "CreditLimit__c": float(company.credit_limit) if credit_given else None,
        "CurrencyIsoCode": company.currency,
    }
    if fields["NIP__c"] is None and nip_absence < 0.35:
        fields["NIP__c"] = ""
    elif fields["NIP__c"] is None and nip_absence < 0.5:
        del fields["NIP__c"]
    write_as_sellers_do(fields, style)
    if company.id >= FIRST:
        fields["NIP__c"] = vat_number(company.id)
    return _broken(fields, broken, style)


def _broken(fields: dict[str, Value], broken: str | None, style: str) -> dict[str, Value]:
    match broken:
        case None:
            pass
        case "name_missing":
            fields["Name"] = None
        case "nip_checksum":
            fields["NIP__c"] = spoil_check_digit(str(fields["NIP__c"]))
        case "credit_limit_not_a_number":
            fields["CreditLimit__c"] = "do uzgodnienia"
        case "status_unknown":
            fields["Status__c"] = "Zombie"
        case "phone_unreadable":
            fields["Phone"] = UNREADABLE[int(share("unreadable", style) * len(UNREADABLE))]
        case "country_unknown":
            fields["BillingCountry"] = "Atlantyda"
        case _:
            raise ValueError(f"Salesforce has no broken rows of kind {broken!r}; it has {', '.join((*BROKEN, *ODD))}")
    return fields
