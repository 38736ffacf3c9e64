-- What is the same for every entity: what its tables hold, and the columns that are not attributes. The meaning of an
-- attribute is written once, on the view (5x_conformed__*.sql); its versions, where nothing is NULL, take it over.
do $do$
declare
    texts constant jsonb := '{
        "crosswalk": "Which record of which system belongs to which golden record, as it is published now.",
        "crosswalk_version": "Every version of the crosswalk: which record belonged to which golden record, from when to when.",
        "source_of_truth": "The most trusted system that has a record of it.",
        "systems": "The systems that have a record of it, sorted.",
        "_systems": "The systems that have a record of it, sorted.",
        "record_count": "How many records of the source systems it is made of.",
        "_records": "How many records of the source systems it is made of.",
        "_provenance": "For each attribute, which system, stream, record, field, transform, mapping version and load gave its value.",
        "warnings": "Which expectations of severity warning it fails, in words.",
        "_members": "Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.",
        "_loads": "The load that brought each of its records (ops.load), in the order of _members.",
        "_mapping_versions": "The mapping version by which each of its records was mapped, in the order of _members.",
        "_winning_members": "For each attribute, which of _members its value is from (1 is the first).",
        "_hash": "A fingerprint of its values and of the records that gave them: another one makes a version.",
        "_publish_id": "The publish that made this version (ops.publish).",
        "_ended_publish_id": "The publish that ended this version; NULL while it is the newest.",
        "_merged_into": "The golden record that took in most of its members, where it ended because of that.",
        "record": "The record: system|stream|key.",
        "system": "The system that the record is from.",
        "stream": "The stream that the record is from.",
        "key": "The primary key of the record in its stream.",
        "attributes": "The attributes of the entity, in the order of _winning_members.",
        "sources": "For each attribute and stream, the field and the transform by which the stream gives it."
    }';
    found record;
begin
    for found in
        select relation.oid::regclass as name, relation.relname, kind.kind, a.attname
            , coalesce(
                col_description(relation.oid, case when a.attname in ('valid_from', 'valid_to') and kind.kind = 'history' then a.attnum end),
                case when relation.oid = entity.oid or kind.kind = 'history' then col_description(entity.oid, meant.attnum)
                    else regexp_replace(col_description(entity.oid, meant.attnum), ' NULL for readers without onefold_pii.*$', '') end,
                case when a.attname = entity.relname || '_id'
                    then format('The id of the golden record (conformed.%s); it stays when records come or go.', entity.relname) end,
                texts ->> a.attname) as text
        from pg_class as entity
        join pg_class as relation on relation.relnamespace = entity.relnamespace
        cross join lateral (select substr(relation.relname, length(entity.relname) + 2) as kind) as kind
        join pg_attribute as a on a.attrelid = relation.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attribute as meant on meant.attrelid = entity.oid and meant.attname = a.attname
            and not texts ? a.attname
        where entity.relnamespace = 'conformed'::regnamespace and entity.relkind = 'v'
            and to_regclass(format('conformed.%I', entity.relname || '_crosswalk_version')) is not null
            and (relation.oid = entity.oid or relation.relname = any (array[
                entity.relname || '_version', entity.relname || '_crosswalk', entity.relname || '_crosswalk_version',
                entity.relname || '_provenance', entity.relname || '_unmasked', entity.relname || '_history']))
    loop
        if found.text is not null then
            execute format('comment on column %s.%I is %L', found.name, found.attname, found.text);
        end if;
        if texts ? found.kind then
            execute format('comment on %s %s is %L',
                case found.kind when 'crosswalk' then 'view' else 'table' end, found.name, texts ->> found.kind);
        end if;
    end loop;
end $do$;
