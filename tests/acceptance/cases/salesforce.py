"""What the acceptance suite must know of Salesforce's streams.

A first load and a backfill are bulk jobs, whose CSV has no types: a retyped field is text as before, and the values
that cannot be read go to quarantine. What changes later comes by query; the two must give the same records.
"""

from tests.acceptance.case import Case

RESULTS = "/results"
SYSTEM = (("Id", "Id"), ("IsDeleted", "IsDeleted"), ("SystemModstamp", "SystemModstamp"))
NO_PERSONS = {"personal data": "the object names no person; its account and contacts do"}

CASES = {
    "salesforce.account": Case(
        path=RESULTS,
        renamed=(("Name", "Name"), *SYSTEM),
        vanishing=(("NIP__c", "NIP__c"),),
    ),
    "salesforce.contact": Case(
        path=RESULTS,
        renamed=(("LastName", "LastName"), *SYSTEM),
        vanishing=(("Email", "Email"), ("AccountId", "AccountId")),
    ),
    "salesforce.opportunity": Case(
        path=RESULTS,
        renamed=(("StageName", "StageName"), ("CloseDate", "CloseDate")),
        vanishing=(("Amount", "Amount"),),
        cannot_have=NO_PERSONS,
    ),
    "salesforce.product": Case(
        path=RESULTS,
        renamed=(("Name", "Name"), ("IsActive", "IsActive")),
        vanishing=(("StockKeepingUnit", "StockKeepingUnit"),),
        cannot_have=NO_PERSONS,
    ),
    "salesforce.order": Case(
        path=RESULTS,
        renamed=(("TotalAmount", "TotalAmount"), ("Status", "Status")),
        vanishing=(("PoNumber", "PoNumber"),),
        cannot_have=NO_PERSONS,
    ),
    "salesforce.order_item": Case(
        path=RESULTS,
        renamed=(("Quantity", "Quantity"), ("OrderNumber", "Order.OrderNumber")),
        vanishing=(("StockKeepingUnit", "Product2.StockKeepingUnit"),),
        cannot_have=NO_PERSONS,
    ),
}
