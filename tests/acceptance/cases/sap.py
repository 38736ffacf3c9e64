"""What the acceptance suite must know of SAP's streams."""

from tests.acceptance.case import Case

CASES = {
    "sap.business_partner": Case(
        path="A_BusinessPartner",
        renamed=(("OrganizationBPName1", "OrganizationBPName1"), ("BusinessPartner", "BusinessPartner")),
        vanishing=(("city", "CityName"), ("nip", "BPTaxNumber"), ("email", "EmailAddress")),
        retyped=(
            ("OrganizationBPName1", "OrganizationBPName1", "number", "number"),
            ("city", "CityName", "object", "object"),
        ),
        cannot_have={"expired_token": "basic sign-in has no token: a refused password is for a person to fix"},
    ),
    "sap.sales_order": Case(
        path="API_SALES_ORDER_SRV/A_SalesOrder",
        renamed=(("SalesOrder", "SalesOrder"), ("TotalNetAmount", "TotalNetAmount")),
        retyped=(("TransactionCurrency", "TransactionCurrency", "object", "object"),),
        cannot_have={
            "expired_token": "basic sign-in has no token: a refused password is for a person to fix",
            "deletions": "an order that was deleted is no longer listed and leaves no trace; rejected ones say so",
            "personal data": "an order names its customer by number only",
        },
    ),
    "sap.sales_order_item": Case(
        path="API_SALES_ORDER_SRV/A_SalesOrder",
        renamed=(("SalesOrderItem", "SalesOrderItem"), ("NetAmount", "NetAmount")),
        retyped=(("Material", "Material", "number", "number"), ("Material", "Material", "object", "object")),
        cannot_have={
            "expired_token": "basic sign-in has no token: a refused password is for a person to fix",
            "gone records": "an item that was deleted is no longer among its order's items",
            "personal data": "an item names no person",
        },
    ),
}
