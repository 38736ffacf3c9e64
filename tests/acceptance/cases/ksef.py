"""What the acceptance suite must know of KSeF's streams.

What a record says comes encrypted, so no fault can rename a field on its way: an invoice of another shape is one that
is not valid against the schema, and goes to quarantine (tests/connectors/test_ksef.py).
"""

from tests.acceptance.case import Case

CANNOT_HAVE = {
    "changes": "an invoice in KSeF never changes; a correction is a document of its own",
    "deletions": "an invoice in KSeF is never deleted",
    "repeat_page": "a package is asked for by dates: there is no address of a next page",
}

NOBODY = {"personal data": "the buyer is ourselves, and a line names nobody else"}


def _case(**cannot_have: str) -> Case:
    return Case(
        path="/v2/invoices/exports",
        small_pages=("onefold.systems.ksef.connector.PER_PAGE", 15),
        cannot_have=cannot_have,
    )


CASES = {
    "ksef.invoice": _case(**CANNOT_HAVE),
    "ksef.invoice_line": _case(**CANNOT_HAVE),
    "ksef.purchase": _case(**CANNOT_HAVE),
    "ksef.purchase_line": _case(**CANNOT_HAVE, **NOBODY),
}
