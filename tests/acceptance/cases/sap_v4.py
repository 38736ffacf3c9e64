"""What the acceptance suite must know of SAP's streams in OData v4."""

from tests.acceptance.case import Case

CASES = {
    "sap_v4.product": Case(
        path="product/0002/Product",
        renamed=(("BaseUnit", "BaseUnit"), ("LastChangeDateTime", "LastChangeDateTime")),
        vanishing=(("name", "ProductDescription"),),
        retyped=(
            ("ProductStandardID", "ProductStandardID", "number", "number"),
            ("BaseUnit", "BaseUnit", "object", "object"),
        ),
        cannot_have={
            "expired_token": "basic sign-in has no token: a refused password is for a person to fix",
            "personal data": "a product names no person",
        },
    ),
}
