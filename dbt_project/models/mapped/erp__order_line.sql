-- generated from catalog/entities/order_line.yaml, catalog/systems/erp.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order_line']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with zamowienie_pozycja_records as (
    {{ records_to_map('order_line', 'erp', 'zamowienie_pozycja') }}
)

select
    'erp|zamowienie_pozycja|' || _key as _record,
    'erp'::text as _system,
    'zamowienie_pozycja'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'id_zamowienia')", "(_payload ->> 'lp')") }} as line_key,
    'erp|zamowienie|' || {{ text("(_payload ->> 'id_zamowienia')") }} as order_record,
    {{ text("(_payload ->> 'lp')") }} as line_number,
    {{ text("(_payload ->> 'indeks')") }} as sku,
    {{ numeric("(_payload ->> 'ilosc')") }} as quantity,
    {{ numeric("(_payload ->> 'wartosc_netto')") }} as net_amount,
    null::text as currency
from zamowienie_pozycja_records
