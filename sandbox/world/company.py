"""One made-up company, and how the base world makes it from the seed and its number alone."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from sandbox.world import identifiers, words
from sandbox.world.share import share
from sandbox.world.spelling import LIMITED, LIMITED_PARTNERSHIP, slug, split_legal_form

Form = Literal["sp_zoo", "sa", "spk", "spj", "jdg", "fundacja", "stowarzyszenie"]
Status = Literal["active", "suspended", "liquidated"]

BASE_START = datetime(2024, 1, 1, tzinfo=UTC)
BASE_END = datetime(2026, 6, 30, tzinfo=UTC)
FORM_SHARES: tuple[tuple[Form, float], ...] = (
    ("sp_zoo", 0.56),
    ("jdg", 0.24),
    ("sa", 0.06),
    ("spk", 0.05),
    ("spj", 0.05),
    ("fundacja", 0.02),
    ("stowarzyszenie", 0.02),
)
TWIN_SHARE = 0.01  # "X Sp. z o.o." and "X Sp. z o.o. Sp.k." at one address
NAMESAKE_SHARE = 0.02  # the same name in another city
SHARED_CONTACT_SHARE = 0.10  # the accounting office's e-mail and telephone
COMPANIES_PER_OFFICE = 400
CORNER_SHARE = 0.02  # houses that have a number of each of their streets


@dataclass(slots=True)
class Company:
    """A company as it truly is; every system shows its own view of it.

    `created` is when business began (the registers' date of registration), `changed` the last change that the
    registers show; both UTC, some with microseconds. `former_*` is the address before the present one, which
    some systems still hold.
    """

    id: int
    name: str
    form: Form
    nip: str
    regon: str
    krs: str | None
    eu_vat: bool
    street: str
    house_no: str
    flat_no: str | None
    postal_code: str
    city: str
    voivodeship: str
    email: str
    phone: str
    status: Status
    credit_limit: Decimal
    currency: Literal["PLN", "EUR"]
    created: datetime
    changed: datetime
    former_street: str
    former_house_no: str
    former_flat_no: str | None
    former_postal_code: str
    former_city: str
    struck_off: date | None = None
    country: str = "PL"
    deleted: bool = False
    revision: int = 1

    @property
    def krs_register(self) -> Literal["P", "S"] | None:
        """The court register holding it: P (entrepreneurs), S (associations), None for sole traders."""
        if self.krs is None:
            return None
        return "S" if self.form in ("fundacja", "stowarzyszenie") else "P"

    @property
    def silos(self) -> Literal["1", "6"]:
        """REGON's SilosID: 1 for sole traders (CEIDG), 6 for legal entities."""
        return "1" if self.form == "jdg" else "6"


@dataclass(frozen=True, slots=True)
class Address:
    street: str
    house_no: str
    flat_no: str | None
    postal_code: str
    city: str
    voivodeship: str
    area_code: str


def draw_address(rng: random.Random) -> Address:
    """Any address in one of the known cities."""
    city, voivodeship, prefix, area_code = rng.choice(words.CITIES)
    flat_no = str(rng.randrange(1, 90)) if rng.random() < 0.4 else None
    house_no = f"{rng.randrange(1, 180)}{rng.choice('ABC') if rng.random() < 0.1 else ''}"
    postal_code = f"{prefix}-{rng.randrange(1, 1000):03d}"
    return Address(rng.choice(words.STREETS), house_no, flat_no, postal_code, city, voivodeship, area_code)


def draw_name(rng: random.Random, form: Form) -> str:
    """A full legal name, its legal form written out."""
    if form == "jdg":
        return f"{rng.choice(words.SHOPS)} {rng.choice(words.FIRST_NAMES)} {rng.choice(words.SURNAMES)}"
    if form in ("fundacja", "stowarzyszenie"):
        return f"{form.capitalize()} {rng.choice(words.CAUSES)} {rng.choice(words.BRAND_STARTS)}"
    if rng.random() < 0.04:
        stem = f"{rng.choice(words.FOREIGN_STARTS)} {rng.choice(words.TRADES)} {rng.choice(words.BRAND_STARTS)}"
    elif rng.random() < 0.2:
        stem = f"{rng.choice(words.SURNAMES)} i Wspólnicy {rng.choice(words.TRADES)}"
    else:
        brand = rng.choice(words.BRAND_STARTS) + rng.choice(words.BRAND_ENDS)
        stem = f"{brand} {rng.choice(words.TRADES)}"
    written_out = {
        "sp_zoo": LIMITED,
        "sa": "Spółka akcyjna",
        "spk": "Spółka komandytowa",
        "spj": "Spółka jawna",
    }
    return f"{stem} {written_out[form]}"


def draw_phone(rng: random.Random, area_code: str) -> str:
    """A landline number in E.164."""
    return f"+48{area_code}{rng.randrange(2_000_000, 9_999_999)}"


def _stream(seed: int, purpose: str, company_id: int) -> random.Random:
    return random.Random(f"{seed}:{purpose}:{company_id}")


def _form(rng: random.Random) -> Form:
    pick = rng.random()
    for form, size in FORM_SHARES:
        pick -= size
        if pick < 0:
            return form
    return "sp_zoo"


def _likeness(seed: int, company_id: int) -> Literal["plain", "twin", "namesake"]:
    if company_id == 0:
        return "plain"
    pick = _stream(seed, "likeness", company_id).random()
    if pick < TWIN_SHARE:
        return "twin"
    return "namesake" if pick < TWIN_SHARE + NAMESAKE_SHARE else "plain"


def make_company(seed: int, company_id: int) -> Company:
    """Company number `company_id` of the world with this seed: a pure function, so that a small world is the
    beginning of every larger one."""
    likeness = _likeness(seed, company_id)
    company = _plain(seed, company_id)
    if likeness == "plain" or _likeness(seed, company_id - 1) != "plain":
        return company
    model = _plain(seed, company_id - 1)
    if likeness == "namesake" and model.city != company.city:
        company.name, company.form = model.name, model.form
        company.krs = identifiers.krs(company_id) if model.krs else None
    elif likeness == "twin" and model.form == "sp_zoo":
        company.name = f"{split_legal_form(model.name)[0]} {LIMITED_PARTNERSHIP}"
        company.form, company.krs = "spk", identifiers.krs(company_id)
        company.street, company.house_no, company.flat_no = model.street, model.house_no, model.flat_no
        company.postal_code, company.city = model.postal_code, model.city
        company.voivodeship, company.phone = model.voivodeship, model.phone
        company.email = model.email
    return company


def _plain(seed: int, company_id: int) -> Company:
    rng = _stream(seed, "company", company_id)
    form = _form(rng)
    name = draw_name(rng, form)
    here, before = draw_address(rng), draw_address(rng)
    email, phone = f"biuro@{slug(split_legal_form(name)[0])}.example.pl", draw_phone(rng, here.area_code)
    office = company_id // COMPANIES_PER_OFFICE * 4 + rng.randrange(4)
    if rng.random() < SHARED_CONTACT_SHARE:
        email, phone = f"klienci@rachunkowosc{office}.example.pl", f"+4822{5_000_000 + office}"
    house_no = here.house_no
    if house_no.isdigit() and share("house at a corner", company_id) < CORNER_SHARE:
        house_no = f"{house_no}/{int(house_no) + 6}"
    changed = BASE_START + (BASE_END - BASE_START) * rng.random()
    if rng.random() < 0.7:
        changed = changed.replace(microsecond=0)
    created = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(23 * 365 * 86_400))
    status: Status = rng.choices(("active", "suspended", "liquidated"), (0.92, 0.05, 0.03))[0]
    return Company(
        id=company_id,
        name=name,
        form=form,
        nip=identifiers.nip(company_id),
        regon=identifiers.regon(company_id),
        krs=None if form == "jdg" else identifiers.krs(company_id),
        eu_vat=rng.random() < 0.4,
        street=here.street,
        house_no=house_no,
        flat_no=here.flat_no,
        postal_code=here.postal_code,
        city=here.city,
        voivodeship=here.voivodeship,
        email=email,
        phone=phone,
        status=status,
        credit_limit=Decimal(rng.randrange(0, 500)) * 1000 + Decimal(rng.choice((0, 0, 0, 50))) / 100,
        currency="EUR" if rng.random() < 0.12 else "PLN",
        created=created,
        changed=changed,
        former_street=before.street,
        former_house_no=before.house_no,
        former_flat_no=before.flat_no,
        former_postal_code=before.postal_code,
        former_city=before.city,
        struck_off=changed.date() if status == "liquidated" and rng.random() < 0.35 else None,
        revision=1 + rng.randrange(30),
    )
