"""Evidence for an auditor: what the warehouse can show of one period, as a signed folder of files."""
