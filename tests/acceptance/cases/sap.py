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
        cannot_have={"expired_token": "basic sign-in has no token: a refused password is for a person to mend"},
    ),
}
