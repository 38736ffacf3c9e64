-- generated from catalog/entities/beneficial_owner.yaml, catalog/systems/crbr.yaml; do not edit (bin/onefold generate)
{{ config(tags=['beneficial_owner']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with beneficiary_records as (
    {{ records_to_map('beneficial_owner', 'crbr', 'beneficiary') }}
)

select
    'crbr|beneficiary|' || _key as _record,
    'crbr'::text as _system,
    'beneficiary'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ joined("(_payload ->> 'KRS')", "(_payload ->> 'NumerReferencyjny')", "(_payload ->> 'Pozycja')") }} as owner_key,
    {{ krs("(_payload ->> 'KRS')") }} as company_krs,
    {{ nip("(_payload ->> 'NIP')") }} as company_tax_id,
    {{ person_name("(_payload ->> 'PierwszeImie')") }} as first_name,
    {{ person_name("(_payload ->> 'Nazwisko')") }} as last_name,
    {{ text("(_payload ->> 'NazwaBeneficjentaGrupowego')") }} as group_name,
    {{ pesel("(_payload ->> 'PESEL')") }} as pesel,
    {{ date_of_moment("(_payload ->> 'DataUrodzenia')") }} as born_on,
    {{ country_iso2("(jsonb_path_query_first(_payload, '$.Obywatelstwo[0].Kod', '{}', true) #>> '{}')") }} as citizenship,
    {{ country_iso2("(_payload #>> '{KrajZamieszkania,Kod}')") }} as residence,
    {{ numeric("(jsonb_path_query_first(_payload, '$.ListaInformacjiOUdzialach[*].UprawnieniaWlascicielskieBezposrednie.Ilosc', '{}', true) #>> '{}')") }} as share,
    {{ text("(jsonb_path_query_first(_payload, '$.ListaInformacjiOUdzialach[*].UprawnieniaWlascicielskieBezposrednie.JednostkaMiary.Opis', '{}', true) #>> '{}')") }} as share_unit
from beneficiary_records
