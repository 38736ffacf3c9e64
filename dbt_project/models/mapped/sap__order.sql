-- generated from catalog/entities/order.yaml, catalog/systems/sap.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with sales_order_records as (
    {{ records_to_map('order', 'sap', 'sales_order') }}
)

select
    'sap|sales_order|' || _key as _record,
    'sap'::text as _system,
    'sales_order'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'PurchaseOrderByCustomer')") }} as order_number,
    'sap|business_partner|' || {{ text("(_payload ->> 'SoldToParty')") }} as customer_record,
    {{ date_sap("(_payload ->> 'SalesOrderDate')") }} as ordered_on,
    {{ code("(_payload ->> 'OverallSDDocumentRejectionSts')", "(_payload ->> 'OverallSDProcessStatus')", "(_payload ->> 'OverallTotalDeliveryStatus')", {"A|A|A": "new", "A|B|A": "confirmed", "A|B|C": "shipped", "A|C|C": "completed", "C|C|A": "cancelled"}) }} as status,
    {{ currency_iso4217("(_payload ->> 'TransactionCurrency')") }} as currency,
    {{ numeric("(_payload ->> 'TotalNetAmount')") }} as net_amount,
    {{ timestamp_utc("(_payload ->> 'LastChangeDateTime')") }} as last_changed
from sales_order_records
