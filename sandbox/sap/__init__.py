"""SAP: OData v2 and v4 services, a SOAP service, and IDoc files."""
