"""What the acceptance suite must know of the streams of SAP's web services."""

from tests.acceptance.case import Case

CASES = {
    "sap_service.cost_center": Case(
        path="BAPI_COSTCENTER_GETLIST1",
        renamed=(("NAME", "NAME"), ("COSTCENTER", "COSTCENTER")),
        retyped=(("DESCRIPT", "DESCRIPT", "object", "object"),),
        small_pages=("onefold.connectors.rows_on_disk.PAGE", 8),
        cannot_have={
            "expired_token": "every message carries name and password: there is no token that could end",
            "repeat_page": "one answer holds all: there are no pages at the source",
            "several requests": "one answer holds all, and is asked for anew after a crash",
            "gone records": "a cost center that was deleted is no longer listed",
            "personal data": "a cost center is a department",
        },
    ),
}
