-- generated from catalog/entities/invoice_line.yaml, catalog/systems/ksef.yaml; do not edit (bin/onefold generate)
{{ config(tags=['invoice_line']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with invoice_line_records as (
    {{ records_to_map('invoice_line', 'ksef', 'invoice_line') }}
)

select
    'ksef|invoice_line|' || _key as _record,
    'ksef'::text as _system,
    'invoice_line'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'ksefNumber')", "(_payload ->> 'position')") }} as line_key,
    {{ text("(_payload ->> 'invoiceNumber')") }} as invoice_number,
    'ksef|invoice|' || {{ text("(_payload ->> 'ksefNumber')") }} as invoice_record,
    {{ integer("(_payload ->> 'position')") }} as line_number,
    {{ text("(_payload #>> '{FaWiersz,Indeks}')") }} as sku,
    {{ text("(_payload #>> '{FaWiersz,P_7}')") }} as description,
    {{ text("(_payload #>> '{FaWiersz,P_8A}')") }} as unit,
    {{ numeric("(_payload #>> '{FaWiersz,P_8B}')") }} as quantity,
    {{ numeric("(_payload #>> '{FaWiersz,P_9A}')") }} as unit_price,
    {{ numeric("(_payload #>> '{FaWiersz,P_11}')") }} as net_amount,
    {{ text("(_payload #>> '{FaWiersz,P_12}')") }} as vat_rate,
    {{ currency_iso4217("(_payload ->> 'currency')") }} as currency
from invoice_line_records
