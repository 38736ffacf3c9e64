-- Schemas and who may do what in them. Roles are made by install.py (they belong to the server, not the database).
create schema if not exists landing authorization onefold_loader;
create schema if not exists staging authorization onefold_loader;
create schema if not exists mapped authorization onefold_loader;
create schema if not exists conformed authorization onefold_loader;
create schema if not exists marts authorization onefold_loader;
create schema if not exists ops;
create schema if not exists audit;
create schema if not exists lineage;

revoke all on schema public from public;

grant usage on schema ops, audit, lineage to onefold_loader, onefold_engineer, onefold_auditor;
grant usage on schema landing, staging, mapped to onefold_engineer;
grant usage on schema conformed, marts to onefold_engineer, onefold_analyst;

alter default privileges for role onefold_loader in schema landing, staging, mapped, conformed, marts
    grant select on tables to onefold_engineer;
alter default privileges in schema ops, lineage
    grant select on tables to onefold_engineer, onefold_auditor;
