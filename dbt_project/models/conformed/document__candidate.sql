-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['document']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.document_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'document_key' = any (d.disowned) then null else m.document_key end as document_key
        , m.name
        , m.folder
        , m.mime_type
        , m.size_bytes
        , m.modified_by
        , m.created_at
        , m.last_changed
    from {{ ref('document__candidate_crosswalk') }} as x
    join {{ ref('microsoft365__document') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('document__strong') }} as strong join {{ ref('document__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'microsoft365'
),
ranked as (
    select *
        , row_number() over (
            partition by document_id order by case system when 'microsoft365' then 1 else 2 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select document_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(document_key order by p) as _v_document_key
        , min(p) filter (where document_key is not null) as _w_document_key
        , array_agg(name order by p) as _v_name
        , min(p) filter (where name is not null) as _w_name
        , array_agg(folder order by p) as _v_folder
        , min(p) filter (where folder is not null) as _w_folder
        , array_agg(mime_type order by p) as _v_mime_type
        , min(p) filter (where mime_type is not null) as _w_mime_type
        , array_agg(size_bytes order by p) as _v_size_bytes
        , min(p) filter (where size_bytes is not null) as _w_size_bytes
        , array_agg(modified_by order by p) as _v_modified_by
        , min(p) filter (where modified_by is not null) as _w_modified_by
        , array_agg(created_at order by p) as _v_created_at
        , min(p) filter (where created_at is not null) as _w_created_at
        , array_agg(last_changed order by p) as _v_last_changed
        , min(p) filter (where last_changed is not null) as _w_last_changed
    from ranked
    group by document_id
),
golden as (
    select document_id
        , _v_document_key[_w_document_key] as document_key
        , _v_name[_w_name] as name
        , _v_folder[_w_folder] as folder
        , _v_mime_type[_w_mime_type] as mime_type
        , _v_size_bytes[_w_size_bytes] as size_bytes
        , _v_modified_by[_w_modified_by] as modified_by
        , _v_created_at[_w_created_at] as created_at
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_document_key, _w_name, _w_folder, _w_mime_type, _w_size_bytes, _w_modified_by, _w_created_at, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_document_key[_w_document_key], _w_document_key
            , _v_name[_w_name], _w_name
            , _v_folder[_w_folder], _w_folder
            , _v_mime_type[_w_mime_type], _w_mime_type
            , _v_size_bytes[_w_size_bytes], _w_size_bytes
            , _v_modified_by[_w_modified_by], _w_modified_by
            , extract(epoch from _v_created_at[_w_created_at]), _w_created_at
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.document_version as live
    on live.document_id = golden.document_id and live._ended_publish_id is null
