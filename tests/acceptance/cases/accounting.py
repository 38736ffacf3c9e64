"""What the acceptance suite must know of the accounting files: a folder knows none of HTTP's faults."""

from tests.acceptance.case import Case

NO_HTTP = "the source is a folder: the faults of files are in tests/connectors/files/"
FAULTS = dict.fromkeys(
    ("status", "cut_body", "html", "expired_token", "rate_limit", "repeat_page", "bom", "delay"), NO_HTTP
)
NEVER_TAKEN_BACK = {"deletions": "what a file once said is corrected by a later file, never taken back"}
PAGES = ("onefold.connectors.files.reader.PAGE", 17)

CASES = {
    "accounting.bank_line": Case("wyciagi", small_pages=PAGES, cannot_have={**FAULTS, **NEVER_TAKEN_BACK}),
    "accounting.account_entry": Case("ksiegi", small_pages=PAGES, cannot_have={**FAULTS, **NEVER_TAKEN_BACK}),
    "accounting.jpk_invoice": Case(
        "jpk",
        small_pages=PAGES,
        cannot_have={
            **FAULTS,
            **NEVER_TAKEN_BACK,
            "changes": "an issued invoice is never changed: a correction is a document of its own",
        },
    ),
}
