"""What the acceptance suite must know of ePUAP's streams.

Its loads confirm nothing here, so that the inbox holds for each test what it held for the one before. That a document
is confirmed when it is published, and not before, is tested in tests/connectors/test_epuap.py.
"""

from tests.acceptance.case import Case

CASES = {
    "epuap.document": Case(
        path="pobierzNastepny",
        renamed=(("identyfikator", "identyfikator"), ("nazwaPliku", "nazwaPliku"), ("dataNadania", "dataNadania")),
        vanishing=(("nip", "nip"), ("nazwiskoNazwa", "nazwiskoNazwa")),
        retyped=(("typOsoby", "typOsoby", "object", "object"),),
        small_pages=("onefold.systems.epuap.PER_PAGE", 8),
        cannot_have={
            "expired_token": "every message is signed by itself: there is no token that could end",
            "repeat_page": "a document a call: there are no pages at the source",
            "changes": "a letter that was sent does not change",
            "deletions": "a letter that was sent is not taken back",
        },
    ),
}
