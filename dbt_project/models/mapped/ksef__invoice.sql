-- generated from catalog/entities/invoice.yaml, catalog/systems/ksef.yaml; do not edit (bin/onefold generate)
{{ config(tags=['invoice']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with invoice_records as (
    {{ records_to_map('invoice', 'ksef', 'invoice') }}
)

select
    'ksef|invoice|' || _key as _record,
    'ksef'::text as _system,
    'invoice'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'invoiceNumber')") }} as invoice_number,
    {{ text("(_payload ->> 'ksefNumber')") }} as ksef_number,
    {{ code("(_payload ->> 'invoiceType')", {"Vat": "invoice", "Zal": "invoice", "Roz": "invoice", "Upr": "invoice", "Kor": "correction", "KorZal": "correction", "KorRoz": "correction"}) }} as kind,
    {{ text("(jsonb_path_query_first(_payload, '$.Faktura.Fa.DaneFaKorygowanej.NrFaKorygowanej', '{}', true) #>> '{}')") }} as corrects_invoice,
    {{ text("(jsonb_path_query_first(_payload, '$.Faktura.Fa.WarunkiTransakcji.Zamowienia.NrZamowienia', '{}', true) #>> '{}')") }} as order_number,
    {{ nip("(jsonb_path_query_first(_payload, '$.buyer.identifier ? (@.type == \"Nip\").value', '{}', true) #>> '{}')") }} as customer_tax_id,
    null::text as customer_record,
    {{ date_iso("(_payload ->> 'issueDate')") }} as issued_on,
    {{ date_iso("(jsonb_path_query_first(_payload, '$.Faktura.Fa.Platnosc.TerminPlatnosci.Termin', '{}', true) #>> '{}')") }} as due_on,
    {{ currency_iso4217("(_payload ->> 'currency')") }} as currency,
    {{ numeric("(_payload #>> '{sums,net}')") }} as net_amount,
    {{ numeric("(_payload #>> '{sums,vat}')") }} as vat_amount,
    {{ numeric("(_payload ->> 'grossAmount')") }} as gross_amount,
    {{ timestamp_utc("(_payload ->> 'permanentStorageDate')") }} as accepted_at
from invoice_records
