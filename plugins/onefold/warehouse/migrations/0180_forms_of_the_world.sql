-- What countries are called, how their telephone numbers and postal codes are formed: read by transforms, filled by
-- repeatable/15_forms_of_the_world.sql. Rows are looked up one at a time, by key: pages are left mostly empty, so that the
-- planner never thinks it cheaper to read such a small table whole, for every value.
create table if not exists ops.country_name (
    name text primary key,
    country text not null
);
create table if not exists ops.phone_region (
    region text primary key,
    calling_code text not null,
    trunk_prefixes text[] not null,
    carrier_rule text,
    carrier_replacement text,
    international_prefixes text[] not null
) with (fillfactor = 10);
create table if not exists ops.phone_calling_code (
    calling_code text primary key,
    region text not null,
    lengths int[] not null
) with (fillfactor = 10);
create table if not exists ops.phone_plan (
    calling_code text not null,
    digits int not null,
    prefixes int4multirange not null,
    primary key (calling_code, digits)
) with (fillfactor = 10);
create table if not exists ops.postal_code_form (
    country text not null,
    shape text not null,
    prefix text not null,
    cut int not null,
    separator text not null,
    pattern text,
    primary key (country, shape)
) with (fillfactor = 10);
