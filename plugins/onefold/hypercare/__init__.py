"""The first weeks of what is new: it is watched more closely, and who signed for it hears of it each day
(docs/hypercare.md). All dates come from the ledger of loads and publishes."""
