-- The mapping that is and was in force: which field of which stream makes which attribute, and through what.
create table if not exists ops.mapping (
    entity text not null,
    attribute text not null,
    system text not null,
    stream text not null,
    fields text[] not null,
    constant text,
    transform text not null,
    mapping_version int not null,
    trust_rank int not null,
    survivorship text not null,
    personal_class text not null,
    hash bytea not null,
    valid_from timestamptz not null default clock_timestamp(),
    valid_to timestamptz check (valid_to >= valid_from),
    primary key (entity, attribute, system, stream, valid_from)
);
create unique index if not exists mapping_in_force on ops.mapping (entity, attribute, system, stream) where valid_to is null;

comment on table ops.mapping is 'Written from catalog/entities by every conform run; a row whose valid_to is null is in force.';
comment on column ops.mapping.trust_rank is '1 is trusted first among the systems that give the attribute.';
comment on column ops.mapping.hash is 'SHA-256 of the rule as SQL and of what is written here: it changes when the meaning may have.';

grant select, insert, update on ops.mapping to onefold_loader;
grant select on ops.mapping to onefold_engineer, onefold_auditor;
