"""What the acceptance suite must know of Salesforce's streams."""

from tests.acceptance.case import Case

CASES = {
    "salesforce.account": Case(
        path="/query",
        renamed=(("Name", "Name"), ("Id", "Id"), ("IsDeleted", "IsDeleted"), ("SystemModstamp", "SystemModstamp")),
        vanishing=(("NIP__c", "NIP__c"),),
        retyped=(("Name", "Name", "number", "number"), ("CreditLimit__c", "CreditLimit__c", "object", "object")),
    ),
}
