"""What the acceptance suite must know of the Polish ERP's streams: a database knows none of HTTP's faults."""

from tests.acceptance.case import Case

NO_HTTP = "the source is a database: its own faults are in tests/connectors/test_sql.py"
FAULTS = dict.fromkeys(
    ("status", "cut_body", "html", "expired_token", "rate_limit", "repeat_page", "bom", "delay"), NO_HTTP
)
NEVER_CHANGED = {
    "changes": "an issued invoice is never changed: a correction is a document of its own",
    "deletions": "an issued invoice is never deleted",
}
PAGES = ("onefold.connectors.sql.reader.ROWS", 7)

CASES = {
    "erp.klient": Case(path="klienci", small_pages=PAGES, cannot_have=FAULTS),
    "erp.dostawca": Case(path="dostawcy", small_pages=PAGES, cannot_have=FAULTS),
    "erp.towar": Case(path="towary", small_pages=PAGES, cannot_have=FAULTS),
    "erp.zamowienie": Case(path="zamowienia", small_pages=PAGES, cannot_have=FAULTS),
    "erp.zamowienie_pozycja": Case(path="zamowienia_pozycje", small_pages=PAGES, cannot_have=FAULTS),
    "erp.faktura": Case(path="faktury", small_pages=PAGES, cannot_have={**FAULTS, **NEVER_CHANGED}),
    "erp.faktura_pozycja": Case(path="faktury_pozycje", small_pages=PAGES, cannot_have={**FAULTS, **NEVER_CHANGED}),
}
