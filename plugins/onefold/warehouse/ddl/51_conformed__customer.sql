-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
-- The customer as it is published: its versions, the views that analysts query, and who may read which column.

create table if not exists mapped.customer__identifier (
    record text collate "C" primary key,
    _load_id bigint not null
);
alter table mapped.customer__identifier add column if not exists tax_id_pl text;
alter table mapped.customer__identifier add column if not exists regon text;
alter table mapped.customer__identifier add column if not exists krs text;
alter table mapped.customer__identifier add column if not exists cautious_key text;
alter table mapped.customer__identifier add column if not exists cut_key text;
alter table mapped.customer__identifier add column if not exists name_key text;
alter table mapped.customer__identifier add column if not exists cut boolean;
create index if not exists customer__identifier_by_load on mapped.customer__identifier (_load_id);
create index if not exists customer__identifier_by_tax_id_pl on mapped.customer__identifier (tax_id_pl) where tax_id_pl is not null;
create index if not exists customer__identifier_by_regon on mapped.customer__identifier (regon) where regon is not null;
create index if not exists customer__identifier_by_krs on mapped.customer__identifier (krs) where krs is not null;
create index if not exists customer__identifier_by_cautious_key on mapped.customer__identifier (cautious_key) where cautious_key is not null;
create index if not exists customer__identifier_by_cut_key on mapped.customer__identifier (cut_key) where cut_key is not null;
comment on table mapped.customer__identifier is 'By what each living record could be recognised at the newest publish.';

create table if not exists conformed.customer_version (
    customer_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _provenance jsonb not null,
    _mapping_version int not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid,
    primary key (customer_id, _publish_id)
);
alter table conformed.customer_version add column if not exists legal_name text;
alter table conformed.customer_version add column if not exists tax_id_pl text;
alter table conformed.customer_version add column if not exists regon text;
alter table conformed.customer_version add column if not exists krs text;
alter table conformed.customer_version add column if not exists eu_vat text;
alter table conformed.customer_version add column if not exists email text;
alter table conformed.customer_version add column if not exists phone text;
alter table conformed.customer_version add column if not exists street text;
alter table conformed.customer_version add column if not exists postal_code text;
alter table conformed.customer_version add column if not exists city text;
alter table conformed.customer_version add column if not exists country text;
alter table conformed.customer_version add column if not exists status text;
alter table conformed.customer_version add column if not exists credit_limit numeric;
alter table conformed.customer_version add column if not exists credit_limit_currency text;
alter table conformed.customer_version add column if not exists registered_on date;
alter table conformed.customer_version add column if not exists last_changed timestamptz;
create unique index if not exists customer_version_live on conformed.customer_version (customer_id) where _ended_publish_id is null;
comment on table conformed.customer_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.customer_version._merged_into is 'The golden record that took in its members, where it ended so.';

create table if not exists conformed.customer_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    customer_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    primary key (record, _publish_id)
);
create unique index if not exists customer_crosswalk_live on conformed.customer_crosswalk_version (record) where _ended_publish_id is null;
create index if not exists customer_crosswalk_by_id on conformed.customer_crosswalk_version (customer_id);

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select customer_id
            , legal_name
            , tax_id_pl
            , regon
            , krs
            , eu_vat
            , email
            , phone
            , street
            , postal_code
            , city
            , country
            , status
            , credit_limit
            , credit_limit_currency
            , registered_on
            , last_changed
            , source_of_truth, _systems as systems, _records as record_count, _provenance
        from conformed.customer_version
        where _publish_id <= (select publish_id from ops.published where entity = 'customer')
            and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'customer'))
    $view$;
begin
    execute 'create or replace view conformed.customer as ' || definition;
exception when invalid_table_definition then
    drop view conformed.customer;
    execute 'create view conformed.customer as ' || definition;
end $do$;
comment on view conformed.customer is 'Customer: the golden records that are published now. One statement sees one publish.';
comment on column conformed.customer.legal_name is 'The name in law, in the usual spelling, its legal form abbreviated one way.';
comment on column conformed.customer.tax_id_pl is 'The Polish tax number (NIP), ten digits.';
comment on column conformed.customer.regon is 'The statistical number (REGON) of the company itself, nine digits.';
comment on column conformed.customer.krs is 'The number in the court register (KRS), ten digits; sole traders have none.';
comment on column conformed.customer.eu_vat is 'The VAT number in the European Union, with its country''s prefix.';
comment on column conformed.customer.email is 'The address for electronic mail.';
comment on column conformed.customer.phone is 'The telephone number, as E.164.';
comment on column conformed.customer.street is 'Street and number of the seat.';
comment on column conformed.customer.postal_code is 'The Polish postal code of the seat, 00-950.';
comment on column conformed.customer.city is 'The town of the seat.';
comment on column conformed.customer.country is 'The country of the seat, ISO 3166-1 alpha-2.';
comment on column conformed.customer.status is 'Whether we do business with it - active, inactive or prospect (not yet).';
comment on column conformed.customer.credit_limit is 'How much the customer may owe us, in credit_limit_currency.';
comment on column conformed.customer.credit_limit_currency is 'The currency of credit_limit, ISO 4217.';
comment on column conformed.customer.registered_on is 'The day of the entry in the court register.';
comment on column conformed.customer.last_changed is 'When the customer''s data last changed in any system.';

create or replace view conformed.customer_crosswalk as
select system, stream, key, record, customer_id
from conformed.customer_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'customer')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'customer'));

alter table mapped.customer__identifier owner to onefold_loader;
alter table conformed.customer_version owner to onefold_loader;
alter table conformed.customer_crosswalk_version owner to onefold_loader;
alter view conformed.customer owner to onefold_loader;
alter view conformed.customer_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.customer_version, conformed.customer_crosswalk_version, conformed.customer, conformed.customer_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.customer__identifier, conformed.customer_version, conformed.customer_crosswalk_version, conformed.customer, conformed.customer_crosswalk to onefold_engineer;
grant select (
    customer_id, source_of_truth, systems, record_count, _provenance
    , legal_name
    , tax_id_pl
    , regon
    , krs
    , eu_vat
    , country
    , status
    , credit_limit
    , credit_limit_currency
    , registered_on
    , last_changed
) on conformed.customer to onefold_analyst, onefold_auditor;
grant select on conformed.customer to onefold_pii;
grant select on conformed.customer_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
