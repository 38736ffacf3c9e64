-- Adds identity.unverified_email. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table conformed.identity_version add column if not exists unverified_email text;
