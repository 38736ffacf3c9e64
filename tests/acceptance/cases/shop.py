"""What the acceptance suite must know of the shop's streams."""

from tests.acceptance.case import Case

NO_TOKEN = "the access token does not end; a refused one is for a person to fix"
BY_CURSOR = "the next page is asked for by a cursor in the body; a circle is tested in tests/connectors/test_shop.py"
CANNOT = {"expired_token": NO_TOKEN, "repeat_page": BY_CURSOR}
SMALL = ("onefold.systems.shopify.records.LARGEST_PAGE", 8)

CASES = {
    "shop.customer": Case(
        path="graphql.json",
        renamed=(("displayName", "displayName"), ("id", "id"), ("updatedAt", "updatedAt")),
        vanishing=(("email", "emailAddress"), ("nip", "nip")),
        retyped=(("displayName", "displayName", "number", "number"), ("state", "state", "object", "object")),
        small_pages=SMALL,
        cannot_have=CANNOT,
    ),
    "shop.product": Case(
        path="graphql.json",
        renamed=(("title", "title"), ("updatedAt", "updatedAt")),
        vanishing=(("sku", "sku"), ("barcode", "barcode")),
        retyped=(("title", "title", "number", "number"), ("status", "status", "object", "object")),
        small_pages=SMALL,
        cannot_have={**CANNOT, "personal data": "a product names no person"},
    ),
    "shop.order": Case(
        path="graphql.json",
        renamed=(("name", "name"), ("currencyCode", "currencyCode"), ("total", "totalPriceSet")),
        vanishing=(("email", "email"),),
        retyped=(
            ("name", "name", "number", "number"),
            ("displayFulfillmentStatus", "displayFulfillmentStatus", "object", "object"),
        ),
        small_pages=SMALL,
        cannot_have=CANNOT,
    ),
    "shop.order_line": Case(
        path="graphql.json",
        renamed=(("title", "title"), ("quantity", "quantity")),
        vanishing=(("sku", "sku"),),
        retyped=(("title", "title", "object", "object"), ("quantity", "quantity", "object", "object")),
        small_pages=SMALL,
        cannot_have={
            **CANNOT,
            "gone records": "an order's deletion tells nothing of its lines",
            "personal data": "a line names no person",
        },
    ),
}
