"""What the acceptance suite must know of SAP's IDocs: a drop folder knows none of HTTP's faults."""

from tests.acceptance.case import Case
from tests.acceptance.cases.accounting import FAULTS, PAGES

CASES = {"sap_idoc.material": Case("MATMAS", small_pages=PAGES, cannot_have=FAULTS)}
