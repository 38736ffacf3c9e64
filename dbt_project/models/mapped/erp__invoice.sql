-- generated from catalog/entities/invoice.yaml, catalog/systems/erp.yaml; do not edit (bin/onefold generate)
{{ config(tags=['invoice']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with faktura_records as (
    {{ records_to_map('invoice', 'erp', 'faktura') }}
)

select
    'erp|faktura|' || _key as _record,
    'erp'::text as _system,
    'faktura'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'numer')") }} as invoice_number,
    null::text as ksef_number,
    {{ code("(_payload ->> 'rodzaj')", {"FV": "invoice", "KOR": "correction"}) }} as kind,
    {{ text("(_payload ->> 'numer_korygowanej')") }} as corrects_invoice,
    {{ text("(_payload ->> 'nr_zamowienia')") }} as order_number,
    {{ nip("(_payload ->> 'nip_nabywcy')") }} as customer_tax_id,
    'erp|klient|' || {{ text("(_payload ->> 'id_klienta')") }} as customer_record,
    {{ date_iso("(_payload ->> 'data_wystawienia')") }} as issued_on,
    {{ date_iso("(_payload ->> 'termin_platnosci')") }} as due_on,
    {{ currency_iso4217("(_payload ->> 'waluta')") }} as currency,
    {{ numeric("(_payload ->> 'kwota_netto')") }} as net_amount,
    {{ numeric("(_payload ->> 'kwota_vat')") }} as vat_amount,
    {{ numeric("(_payload ->> 'kwota_brutto')") }} as gross_amount,
    null::timestamptz as accepted_at
from faktura_records
