-- generated from catalog/entities/payment.yaml, catalog/systems/stripe.yaml; do not edit (bin/onefold generate)
{{ config(tags=['payment']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with charge_records as (
    {{ records_to_map('payment', 'stripe', 'charge') }}
)

select
    'stripe|charge|' || _key as _record,
    'stripe'::text as _system,
    'charge'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'id')") }} as payment_key,
    {{ text("(_payload #>> '{metadata,invoice}')") }} as invoice_number,
    {{ date_unix("(_payload ->> 'created')") }} as paid_on,
    {{ minor_units("(_payload ->> 'amount_captured')", "(_payload ->> 'currency')") }} as amount,
    {{ minor_units("(_payload ->> 'amount_refunded')", "(_payload ->> 'currency')") }} as refunded_amount,
    {{ currency_iso4217("(_payload ->> 'currency')") }} as currency,
    {{ text("(_payload #>> '{payment_method_details,type}')") }} as method,
    {{ code("(_payload ->> 'status')", {"succeeded": "paid", "pending": "pending", "failed": "failed"}) }} as status
from charge_records
