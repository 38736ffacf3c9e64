"""Firms from abroad, most with names in another script: they buy from us, and no Polish register knows them.

They come in groups at one address, whose names differ only in letters outside of ASCII or in a sign, as those of the
tenants of a business centre. Which companies have such a group beside them is decided by a hash of their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from sandbox.world.company import BASE_START, Company
from sandbox.world.share import share

FIRST = 9_000_000
"""Their numbers begin here, and are those of no company of the world."""
GROUP = 4
GROUP_SHARE = 0.02
HOUSES = 190


@dataclass(frozen=True, slots=True)
class Land:
    """How firms of a country are called and where they are; `phone` is E.164 but for its last four digits."""

    country: str
    names: tuple[str, ...]
    form: str
    form_in_full: str
    street: str
    postal_code: str
    city: str
    phone: str
    ways: tuple[str, ...]

    @property
    def another_script(self) -> bool:
        return not "".join(self.names).isascii()


LANDS = (
    Land(
        "UA", ("Ромашка", "Вектор", "Світанок", "Обрій"), "ТОВ {}", "Товариство з обмеженою відповідальністю {}",
        "вулиця Хрещатик", "01001", "Київ", "+38044590", ("Україна", "Ukraina", "Ukraine", "UA"),
    ),
    Land(
        "GR", ("Ελιά", "Θάλασσα", "Όλυμπος", "Ήλιος"), "{} ΑΕ", "{} Ανώνυμη Εταιρεία",
        "Οδός Ερμού", "10563", "Αθήνα", "+30210322", ("Ελλάδα", "Grecja", "Greece", "GR"),
    ),
    Land(
        "BG", ("Роза", "Балкан", "Изток", "Тракия"), "{} ООД", "{} Дружество с ограничена отговорност",
        "бул. Витоша", "1000", "София", "+3592987", ("България", "Bułgaria", "Bulgaria", "BG"),
    ),
    Land(
        "DE", ("C++", "C#", "A & B", "AB"), "{} Software GmbH", "{} Software Gesellschaft mit beschränkter Haftung",
        "Friedrichstraße", "10117", "Berlin", "+493020890", ("Deutschland", "Niemcy", "Germany", "DE"),
    ),
    Land(
        "NL", ("McDowell's", "ING", "eSports", "DAF"), "{} B.V.", "{} B.V.",
        "Damrak", "1012 LG", "Amsterdam", "+31205550", ("Nederland", "Holandia", "The Netherlands", "NL"),
    ),
    Land(
        "KZ", ("Алтын", "Жулдыз", "Дала", "Көкше"), "ТОО {}", "ТОО {}",
        "проспект Абая", "050000", "Алматы", "+7727250", ("Қазақстан", "Kazachstan", "Kazakhstan", "KZ"),
    ),
)  # fmt: skip


def has_group(seed: int, company_id: int) -> bool:
    """Whether there is a group of foreign firms beside the company with this number."""
    return share("foreign firms", f"{seed}:{company_id}") < GROUP_SHARE


def firms_beside(seed: int, company_id: int) -> Iterator[int]:
    """The numbers of the foreign firms beside a company."""
    if has_group(seed, company_id):
        yield from range(FIRST + GROUP * company_id, FIRST + GROUP * (company_id + 1))


@lru_cache(16)
def firms(seed: int, companies: int) -> tuple[int, ...]:
    """The numbers of all foreign firms of a base world of so many companies."""
    return tuple(number for company in range(companies) for number in firms_beside(seed, company))


def land_of(number: int) -> Land:
    """The country of a foreign firm."""
    return LANDS[int(share("land", (number - FIRST) // GROUP) * len(LANDS))]


def vat_number(number: int) -> str:
    """The tax number of a foreign firm, as sellers and clerks write it where a Polish one belongs."""
    country = land_of(number).country
    return f"{'EL' if country == 'GR' else country}{number:09d}"


def _called(number: int, form: str) -> str:
    group, place = divmod(number - FIRST, GROUP)
    return form.format(f"{land_of(number).names[place]} {2000 + group // HOUSES}")


def in_full(number: int) -> str:
    """The firm's name with its legal form written out."""
    return _called(number, land_of(number).form_in_full)


def foreign(number: int) -> Company:
    """The firm with this number: the same in every world."""
    group, place = divmod(number - FIRST, GROUP)
    land = land_of(number)
    at = BASE_START
    return Company(
        id=number,
        name=_called(number, land.form),
        form="sp_zoo",
        nip="",
        regon="",
        krs=None,
        eu_vat=False,
        street=land.street,
        house_no=str(group % HOUSES + 1),
        flat_no=None,
        postal_code=land.postal_code,
        city=land.city,
        voivodeship="",
        email=f"office@firm{number}.example.com",
        phone=f"{land.phone}{number % 10_000:04d}",
        status="active",
        credit_limit=Decimal(1000 * (place + 1)),
        currency="EUR",
        created=at,
        changed=at,
        former_street=land.street,
        former_house_no=str(group % HOUSES + 1),
        former_flat_no=None,
        former_postal_code=land.postal_code,
        former_city=land.city,
        country=land.country,
    )
