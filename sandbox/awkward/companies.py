"""Awkward records of companies: in the CRM, SAP, the ERP and the shop, and in the registers."""

from __future__ import annotations

from sandbox.awkward.kind import Finder, Found, Kind, any_of, of_companies, parts, rows, with_code
from sandbox.crbr.api import has_unusual_rights
from sandbox.erp.rows import delivery_time
from sandbox.krs.divisions import divisions
from sandbox.regon.reports import search_row
from sandbox.salesforce.fields import is_abroad
from sandbox.sap.partner import State
from sandbox.shop.content import is_person
from sandbox.world import SourceRecord, World
from sandbox.world.abroad import SEATS, WORDS
from sandbox.world.foreign import FIRST, land_of
from sandbox.world.records import registered_name

_COUNTRIES = {country for country, *_ in SEATS}
_AROUND = [way.split("{}") for way in WORDS]


def _foreign(*, another_script: bool) -> Finder:
    def is_one(number: int) -> bool:
        return number >= FIRST and land_of(number).another_script is another_script

    return any_of(
        of_companies("salesforce", lambda record: is_one(record.company_id)),
        of_companies("sap", lambda record: is_one(record.company_id)),
        rows("erp.klient", lambda _, entry: is_one(entry.number)),
        rows("shop.customer", lambda _, entry: is_one(entry.number)),
    )


def _has_wordy_phone(record: SourceRecord) -> bool:
    phone = str(record.fields["Phone"] or "")
    return any(len(phone) > len(before + after) and phone.startswith(before) and phone.endswith(after)
               for before, after in _AROUND)  # fmt: skip


def _unreadable_phones(world: World) -> Found:
    for record in world.records("salesforce"):
        if record.broken == "phone_unreadable":
            yield "salesforce.account", record.key_text


def _partner(record: SourceRecord) -> dict[str, object]:
    return State(record, record.modified, record.deleted).partner()


def _is_renamed(record: SourceRecord) -> bool:
    return not record.variant and registered_name(record.company) != record.company.name


KINDS = (
    Kind(
        "another script",
        "a foreign customer with a name in Cyrillic or Greek; its neighbours' names differ outside of ASCII only",
        _foreign(another_script=True),
    ),
    Kind(
        "signs in the name",
        "a foreign customer whose name differs from its neighbour's in a sign (C++, C#, A & B), or is in mixed case",
        _foreign(another_script=False),
    ),
    Kind(
        "another country's tax number",
        "a foreign customer whose own tax number stands where a NIP belongs",
        any_of(
            of_companies("salesforce", lambda record: record.company_id >= FIRST),
            rows("erp.klient", lambda _, entry: entry.number >= FIRST),
        ),
    ),
    Kind(
        "contact abroad",
        "a contact in another country than its account, with a telephone as it is dialled there",
        rows("salesforce.contact", lambda _, entry: is_abroad(entry.number)),
    ),
    Kind(
        "seat abroad",
        "an account whose country, postal code, street and telephone are as people abroad write them",
        of_companies("salesforce", lambda record: record.fields["BillingCountry"] in _COUNTRIES),
    ),
    Kind(
        "wordy telephone",
        "an account whose telephone holds words, an extension or a second number",
        of_companies("salesforce", _has_wordy_phone),
    ),
    Kind("unreadable telephone", "an account whose telephone is none; the value is withheld", _unreadable_phones),
    Kind(
        "house at a corner",
        "a record of a company whose house has two numbers (16/22)",
        any_of(
            of_companies("salesforce", lambda record: "/" in record.company.house_no),
            of_companies("sap", lambda record: "/" in record.company.house_no),
            of_companies("krs", lambda record: "/" in record.company.house_no),
            of_companies("regon", lambda record: "/" in record.company.house_no),
        ),
    ),
    Kind(
        "name with its state",
        "a register's entry whose name ends in w likwidacji, w upadłości or Oddział w Polsce",
        any_of(of_companies("krs", _is_renamed), of_companies("regon", _is_renamed)),
    ),
    Kind(
        "proceedings",
        "a court register's entry with a liquidation, bankruptcy, restructuring or suspension, under way or over",
        of_companies("krs", lambda record: bool(divisions(record)["dzial6"])),
    ),
    Kind(
        "struck off",
        "a company that the court register has struck off: only its full extract is left",
        of_companies("krs", lambda record: record.company.struck_off is not None),
    ),
    Kind(
        "tax number withdrawn",
        "an entry whose NIP was withdrawn (UCHYLONY)",
        any_of(
            of_companies("krs", lambda record: record.company.status == "liquidated"),
            of_companies("regon", lambda record: record.company.status == "liquidated"),
        ),
    ),
    Kind(
        "no town",
        "a court register's entry without town and country",
        of_companies("krs", lambda record: "miejscowosc" not in divisions(record)["dzial1"]["siedzibaIAdres"]["adres"]),
    ),
    Kind(
        "ended entry",
        "a REGON entry that has ended, under the NIP of a living one",
        of_companies("regon", lambda record: bool(record.variant)),
    ),
    Kind(
        "field left out",
        "a REGON row without Ulica or MiejscowoscPoczty",
        of_companies("regon", lambda record: not {"Ulica", "MiejscowoscPoczty"} <= search_row(record).keys()),
    ),
    Kind(
        "unusual owner",
        "a beneficial owner by an office alone, through others alone, or with several entries",
        parts("crbr.beneficiary", lambda _, part: has_unusual_rights(part.number, part.place)),
    ),
    Kind(
        "short partner number",
        "a SAP partner whose number has not ten digits",
        of_companies("sap", lambda record: len(record.key) != 10),
    ),
    Kind(
        "partner is a person",
        "a SAP partner of category 1, with first name and surname",
        of_companies("sap", lambda record: _partner(record)["BusinessPartnerCategory"] == "1"),
    ),
    Kind(
        "never changed",
        "a SAP partner without a date of change",
        of_companies("sap", lambda record: _partner(record)["LastChangeDate"] is None),
    ),
    Kind(
        "customer without a company",
        "a shop's customer who is a person",
        rows("shop.customer", lambda _, entry: is_person(entry.number)),
    ),
    Kind(
        "time of delivery",
        "a supplier in the ERP with an interval of a month, of 36.5 hours or below zero",
        rows("erp.dostawca", lambda _, entry: delivery_time(entry.number) in ("1 mon", "36:30:00", "-01:00:00")),
    ),
    Kind(
        "stamp infinite",
        "an ERP's customer with the change stamp infinity; the row waits in quarantine",
        with_code("erp.klient", "stamp_infinite"),
    ),
)
