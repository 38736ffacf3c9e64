-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
-- The company as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.company_crosswalk as
select system, stream, key, record, company_id
from conformed.company_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'company')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'company'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.company_id
            , v.legal_name
            , v.tax_id_pl
            , v.regon
            , v.krs
            , v.eu_vat
            , v.legal_form
            , v.status
            , v.vat_status
            , v.eu_vat_valid
            , v.bank_accounts
            , v.registered_on
            , v.vat_registered_on
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.company_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.company_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'company')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'company'))
    $view$;
begin
    execute 'create or replace view conformed.company as ' || definition;
exception when invalid_table_definition then
    drop view conformed.company cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.company as ' || definition;
end $do$;
comment on table mapped.company__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.company_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.company_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.company_version._given is
    'Per attribute of conformed.company_origin, whose value it is: the place of the record among _members.';
comment on column conformed.company_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.company_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.company is 'Company, as the registers know it (KYC): the golden records that are published now. One statement sees one publish.';
comment on column conformed.company.legal_name is 'The name in law, in the usual spelling, its legal form abbreviated one way.';
comment on column conformed.company.tax_id_pl is 'The Polish tax number (NIP), ten digits.';
comment on column conformed.company.regon is 'The statistical number (REGON) of the company itself, nine digits.';
comment on column conformed.company.krs is 'The number in the court register (KRS), ten digits; sole traders have none.';
comment on column conformed.company.eu_vat is 'The VAT number in the European Union, with its country''s prefix.';
comment on column conformed.company.legal_form is 'The legal form in its short spelling.';
comment on column conformed.company.status is 'Whether the registers hold it as doing business - active or inactive.';
comment on column conformed.company.vat_status is 'What the register of VAT payers holds it for - active, exempt or not_registered.';
comment on column conformed.company.eu_vat_valid is 'Whether its member state confirms the VAT number for trade within the Union; nothing when it did not say.';
comment on column conformed.company.bank_accounts is 'The bank accounts that the register of VAT payers confirms, with blanks between them.';
comment on column conformed.company.registered_on is 'The day of the entry in the court register.';
comment on column conformed.company.vat_registered_on is 'The day of the registration as a VAT payer.';
comment on column conformed.company.last_changed is 'When the court register last changed its entry.';

alter view conformed.company owner to onefold_loader;
alter view conformed.company_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.company_version, conformed.company_crosswalk_version, conformed.company_origin, conformed.company, conformed.company_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.company__identifier, conformed.company_version, conformed.company_crosswalk_version, conformed.company_origin, conformed.company, conformed.company_crosswalk to onefold_engineer;
grant select (
    company_id, source_of_truth, systems, record_count, _provenance
    , legal_name
    , tax_id_pl
    , regon
    , krs
    , eu_vat
    , legal_form
    , status
    , vat_status
    , eu_vat_valid
    , registered_on
    , vat_registered_on
    , last_changed
) on conformed.company to onefold_analyst, onefold_auditor;
grant select on conformed.company to onefold_pii;
grant select on conformed.company_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
