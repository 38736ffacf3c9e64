-- generated from catalog/entities/invoice.yaml, catalog/systems/accounting.yaml; do not edit (bin/onefold generate)
{{ config(tags=['invoice']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with jpk_invoice_records as (
    {{ records_to_map('invoice', 'accounting', 'jpk_invoice') }}
)

select
    'accounting|jpk_invoice|' || _key as _record,
    'accounting'::text as _system,
    'jpk_invoice'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'P_2A')") }} as invoice_number,
    null::text as ksef_number,
    {{ code("(_payload ->> 'RodzajFaktury')", {"VAT": "invoice", "ZAL": "invoice", "KOREKTA": "correction"}) }} as kind,
    {{ text("(_payload ->> 'NrFaKorygowanej')") }} as corrects_invoice,
    null::text as order_number,
    {{ nip("(_payload ->> 'P_5B')") }} as customer_tax_id,
    null::text as customer_record,
    {{ date_iso("(_payload ->> 'P_1')") }} as issued_on,
    null::date as due_on,
    {{ currency_iso4217("(_payload ->> 'KodWaluty')") }} as currency,
    {{ total("(_payload ->> 'P_13_1')", "(_payload ->> 'P_13_2')", "(_payload ->> 'P_13_3')", "(_payload ->> 'P_13_6')", "(_payload ->> 'P_13_7')") }} as net_amount,
    {{ total("(_payload ->> 'P_14_1')", "(_payload ->> 'P_14_2')", "(_payload ->> 'P_14_3')") }} as vat_amount,
    {{ numeric("(_payload ->> 'P_15')") }} as gross_amount,
    null::timestamptz as accepted_at
from jpk_invoice_records
