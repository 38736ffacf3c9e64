-- Adds beneficial_owner.citizenships, adds beneficial_owner.direct_rights, adds beneficial_owner.indirect_rights, adds beneficial_owner.middle_names, adds beneficial_owner.other_rights, adds beneficial_owner.ownership_reasons, adds company.representation, adds company.represented_by, adds company.share_capital, adds company.share_capital_currency, adds company.tax_id_status, adds supplier.eu_vat. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table conformed.beneficial_owner_version add column if not exists citizenships text;

alter table conformed.beneficial_owner_version add column if not exists direct_rights text;

alter table conformed.beneficial_owner_version add column if not exists indirect_rights text;

alter table conformed.beneficial_owner_version add column if not exists middle_names text;

alter table conformed.beneficial_owner_version add column if not exists other_rights text;

alter table conformed.beneficial_owner_version add column if not exists ownership_reasons text;

alter table conformed.company_version add column if not exists representation text;

alter table conformed.company_version add column if not exists represented_by text;

alter table conformed.company_version add column if not exists share_capital numeric;

alter table conformed.company_version add column if not exists share_capital_currency text;

alter table conformed.company_version add column if not exists tax_id_status text;

alter table conformed.supplier_version add column if not exists eu_vat text;
