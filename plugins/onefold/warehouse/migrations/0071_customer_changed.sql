-- No longer recognises customer by cautious_key, no longer recognises customer by cut, no longer recognises customer by cut_key, recognises customer by name_prefix_key, recognises customer by name_truncated, recognises customer by probabilistic_key. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table mapped.customer__identifier drop column if exists cautious_key;

alter table mapped.customer__identifier drop column if exists cut;

alter table mapped.customer__identifier drop column if exists cut_key;

alter table mapped.customer__identifier add column if not exists name_prefix_key text;
create index if not exists customer__identifier_by_name_prefix_key
    on mapped.customer__identifier (name_prefix_key) where name_prefix_key is not null;

alter table mapped.customer__identifier add column if not exists name_truncated boolean;
create index if not exists customer__identifier_by_name_truncated
    on mapped.customer__identifier (name_truncated) where name_truncated is not null;

alter table mapped.customer__identifier add column if not exists probabilistic_key text;
create index if not exists customer__identifier_by_probabilistic_key
    on mapped.customer__identifier (probabilistic_key) where probabilistic_key is not null;
