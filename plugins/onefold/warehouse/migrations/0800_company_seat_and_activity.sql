-- Adds company.main_activity, adds company.postal_code, adds company.street, adds company.town. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

drop view if exists dry_run_mapped.company_version, dry_run_mapped.company_crosswalk_version,
    dry_run_mapped.company__identifier cascade;
alter table conformed.company_version add column if not exists main_activity text;

alter table conformed.company_version add column if not exists postal_code text;

alter table conformed.company_version add column if not exists street text;

alter table conformed.company_version add column if not exists town text;
