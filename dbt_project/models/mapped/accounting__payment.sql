-- generated from catalog/entities/payment.yaml, catalog/systems/accounting.yaml; do not edit (bin/onefold generate)
{{ config(tags=['payment']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with bank_line_records as (
    {{ records_to_map('payment', 'accounting', 'bank_line') }}
)

select
    'accounting|bank_line|' || _key as _record,
    'accounting'::text as _system,
    'bank_line'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'nr_wyciagu')", "(_payload ->> 'lp')") }} as payment_key,
    {{ text("(_payload ->> 'tytul')") }} as invoice_number,
    {{ date_iso("(_payload ->> 'data_ksiegowania')") }} as paid_on,
    {{ numeric("(_payload ->> 'kwota')") }} as amount,
    null::numeric as refunded_amount,
    {{ currency_iso4217("(_payload ->> 'waluta')") }} as currency,
    {{ text("'transfer'::text") }} as method,
    {{ text("'paid'::text") }} as status
from bank_line_records
