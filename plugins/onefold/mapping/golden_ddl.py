"""The DDL of a conformed entity: its versions, the views that analysts query, and who may read which column."""

from __future__ import annotations

from onefold.catalog.entity import Entity
from onefold.mapping.golden_identity import identifiers

PERSONAL = ("contact", "identity", "sensitive")
"""The personal-data classes that only onefold_pii may read; those of an organisation are public record."""


def personal_attributes(entity: Entity) -> list[str]:
    """The attributes that analysts without onefold_pii may not read."""
    return [name for name, attribute in entity.attributes.items() if attribute.personal in PERSONAL]


def ddl(entity: Entity) -> str:
    """Idempotent DDL: makes what is missing, and adds the columns of new attributes."""
    name = entity.entity
    versions, crosswalk = f"conformed.{name}_version", f"conformed.{name}_crosswalk_version"
    attributes = ", ".join(entity.attributes)
    hidden = set(personal_attributes(entity))
    open_columns = ", ".join(
        [
            f"{name}_id",
            *(a for a in entity.attributes if a not in hidden),
            "source_of_truth",
            "systems",
            "record_count",
            "_provenance",
        ]
    )
    at = f"(select publish_id from ops.published where entity = '{name}')"
    visible = f"_publish_id <= {at}\n    and (_ended_publish_id is null or _ended_publish_id > {at})"
    return f"""{_identifier(entity)}
create table if not exists {versions} (
    {name}_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _provenance jsonb not null,
    _mapping_version int not null,
    _hash text not null,
    _publish_id bigint not null references ops.publish,
    _ended_publish_id bigint references ops.publish,
    _merged_into uuid,
    primary key ({name}_id, _publish_id)
);
{_add_columns(versions, {a: spec.type for a, spec in entity.attributes.items()})}
create unique index if not exists {name}_version_live on {versions} ({name}_id) where _ended_publish_id is null;
comment on table {versions} is 'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column {versions}._merged_into is 'The golden record that took in the members, where this one ended so.';

create table if not exists {crosswalk} (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    {name}_id uuid not null,
    _publish_id bigint not null references ops.publish,
    _ended_publish_id bigint references ops.publish,
    primary key (record, _publish_id)
);
create unique index if not exists {name}_crosswalk_live on {crosswalk} (record) where _ended_publish_id is null;
create index if not exists {name}_crosswalk_by_id on {crosswalk} ({name}_id);

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $view$
declare
    definition text := $definition$
select {name}_id, {attributes},
    source_of_truth, _systems as systems, _records as record_count, _provenance
from {versions}
where {visible}
$definition$;
begin
    execute 'create or replace view conformed.{name} as ' || definition;
exception when invalid_table_definition then
    drop view conformed.{name};
    execute 'create view conformed.{name} as ' || definition;
end $view$;
comment on view conformed.{name} is '{entity.title.replace("'", "''")}: the golden records that are published now. ops.published says which publish that is; '
    'one statement sees one publish.';
create or replace view conformed.{name}_crosswalk as
select system, stream, key, record, {name}_id
from {crosswalk}
where {visible};

-- The views read with their owner's rights, so analysts need none on the tables.
alter table {versions} owner to onefold_loader;
alter table {crosswalk} owner to onefold_loader;
alter view conformed.{name} owner to onefold_loader;
alter view conformed.{name}_crosswalk owner to onefold_loader;
revoke all on {versions}, {crosswalk}, conformed.{name}, conformed.{name}_crosswalk from onefold_analyst;
grant select on {versions}, {crosswalk}, conformed.{name}, conformed.{name}_crosswalk to onefold_engineer;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select ({open_columns})
    on conformed.{name} to onefold_analyst, onefold_auditor;
grant select on conformed.{name} to onefold_pii;
grant select on conformed.{name}_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
"""


def _identifier(entity: Entity) -> str:
    table = f"mapped.{entity.entity}__identifier"
    cautious = {"name_key": "text", "cut": "boolean", "cautious_key": "text", "cut_key": "text"}
    columns = dict.fromkeys(entity.identity.strong, "text") | (cautious if entity.identity.cautious else {})
    indexes = "\n".join(
        f"create index if not exists {entity.entity}__identifier_by_{column} on {table} ({column}) where {column} is not null;"
        for column in identifiers(entity)
    )
    return f"""create table if not exists {table} (
    record text collate "C" primary key,
    _load_id bigint not null
);
{_add_columns(table, columns)}
create index if not exists {entity.entity}__identifier_by_load on {table} (_load_id);
{indexes}
alter table {table} owner to onefold_loader;
comment on table {table} is 'By what each living record could be recognised at the last publish.';
"""


def _add_columns(table: str, columns: dict[str, str]) -> str:
    added = ",\n    ".join(f"add column if not exists {name} {kind}" for name, kind in columns.items())
    return f"alter table {table}\n    {added};"
