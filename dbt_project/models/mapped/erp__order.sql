-- generated from catalog/entities/order.yaml, catalog/systems/erp.yaml; do not edit (bin/onefold generate)
{{ config(tags=['order']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with zamowienie_records as (
    {{ records_to_map('order', 'erp', 'zamowienie') }}
)

select
    'erp|zamowienie|' || _key as _record,
    'erp'::text as _system,
    'zamowienie'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'numer')") }} as order_number,
    'erp|klient|' || {{ text("(_payload ->> 'id_klienta')") }} as customer_record,
    {{ date_iso("(_payload ->> 'data_zamowienia')") }} as ordered_on,
    {{ code("(_payload ->> 'status')", {"nowe": "new", "potwierdzone": "confirmed", "wysłane": "shipped", "zrealizowane": "completed", "anulowane": "cancelled"}) }} as status,
    {{ currency_iso4217("(_payload ->> 'waluta')") }} as currency,
    {{ numeric("(_payload ->> 'kwota_netto')") }} as net_amount,
    {{ timestamp_utc("(_payload ->> 'data_modyfikacji')") }} as last_changed
from zamowienie_records
