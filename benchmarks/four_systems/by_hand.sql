-- The same golden records in plain SQL, knowing what a program cannot know: that these companies have one record in each
-- system, that no identifier is contradicted, and that nothing was published before. Whatever can run in parallel does.
create unlogged table mapped.hand_krs as {krs};
create unlogged table mapped.hand_regon as {regon};
create unlogged table mapped.hand_salesforce as {salesforce};
create unlogged table mapped.hand_sap as {sap};
analyze mapped.hand_krs, mapped.hand_regon, mapped.hand_salesforce, mapped.hand_sap;

-- Whose record it is: the court register's by tax id, else by its own number, else by REGON, else by name and address.
create unlogged table mapped.hand_of_salesforce as
select s.record, coalesce(by_tax.record, by_krs.record, by_regon.record) as company
from mapped.hand_salesforce as s
left join mapped.hand_krs as by_tax on by_tax.tax_id_pl = s.tax_id_pl
left join mapped.hand_krs as by_krs on by_tax.record is null and by_krs.krs = s.krs
left join mapped.hand_krs as by_regon on by_tax.record is null and by_krs.record is null and by_regon.regon = s.regon;

create unlogged table mapped.hand_of_sap as
select p.record, coalesce(by_tax.record, by_name.company) as company
from mapped.hand_sap as p
left join mapped.hand_krs as by_tax on by_tax.tax_id_pl = p.tax_id_pl
left join (
    select p.record, k.record as company
    from mapped.hand_sap as p
    join mapped.hand_krs as k on k.postal_code = p.postal_code
        and translate(k.street, 'ąćęłńóśźżĆŁÓŚŹŻ', 'acelnoszzCLOSZZ') = p.street
        and upper(split_part(translate(k.legal_name, 'ąćęłńóśźżĆŁÓŚŹŻ', 'acelnoszzCLOSZZ'), ' ', 1)) = upper(split_part(p.legal_name, ' ', 1))
        and upper(split_part(translate(k.legal_name, 'ąćęłńóśźżĆŁÓŚŹŻ', 'acelnoszzCLOSZZ'), ' ', 2)) = upper(split_part(p.legal_name, ' ', 2))
    where p.tax_id_pl is null
) as by_name on by_tax.record is null and by_name.record = p.record;

analyze mapped.hand_of_salesforce, mapped.hand_of_sap;

create table conformed.hand as
select md5('customer|' || k.record)::uuid as customer_id, {attributes}
    , 'krs' as source_of_truth, '{{krs,regon,salesforce,sap}}'::text[] as systems, 4 as record_count
    , {provenance} as _provenance
from mapped.hand_krs as k
join mapped.hand_regon as r on r.tax_id_pl = k.tax_id_pl
join mapped.hand_of_salesforce as of_salesforce on of_salesforce.company = k.record
join mapped.hand_salesforce as s on s.record = of_salesforce.record
join mapped.hand_of_sap as of_sap on of_sap.company = k.record
join mapped.hand_sap as p on p.record = of_sap.record;
alter table conformed.hand add primary key (customer_id);

create table conformed.hand_crosswalk as
select system, stream, key, record, md5('customer|' || company)::uuid as customer_id from (
    select 'krs' as system, 'extract' as stream, key, record, record as company from mapped.hand_krs
    union all
    select 'regon', 'entity', r.key, r.record, k.record
    from mapped.hand_regon as r join mapped.hand_krs as k using (tax_id_pl)
    union all
    select 'salesforce', 'account', substr(record, 20), record, company from mapped.hand_of_salesforce
    union all
    select 'sap', 'business_partner', substr(record, 22), record, company from mapped.hand_of_sap
) as every;
alter table conformed.hand_crosswalk add primary key (record);
create index on conformed.hand_crosswalk (customer_id);
