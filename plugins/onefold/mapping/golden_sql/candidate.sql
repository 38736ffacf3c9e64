-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own.
<% set span = 1048576 %><# more than a cluster has records: rank * span + p orders by rank, then by p #>
<% set changed_at = 'last_changed' if 'last_changed' in attributes else '_extracted_at' %>
<% macro rank(trust) %>case system<% for system in trust %> when '<< system >>' then << loop.index >><% endfor %> else << trust | length + 1 >> end<% endmacro %>
with disowned as materialized (
    select m.record, s.disowned from {{ ref('<< name >>__strong') }} as s join {{ ref('<< name >>__member') }} as m using (n)
    where s.torn and s.disowned <> '{}'
),
member as (
<% for system in systems %>
    select x.<< name >>_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
<% for attribute in attributes %>
<% if attribute in kinds %>
        , case when '<< attribute >>' = any (d.disowned) then null else m.<< attribute >> end as << attribute >>
<% else %>
        , m.<< attribute >>
<% endif %>
<% endfor %>
    from {{ ref('<< name >>__candidate_crosswalk') }} as x
    join {{ ref('<< system >>__<< name >>') }} as m on m._record collate "C" = x.record
    left join disowned as d on d.record = x.record
    where x.system = '<< system >>'
<% if not loop.last %>
    union all
<% endif %>
<% endfor %>
),
ranked as (
    select *
        , row_number() over (
            partition by << name >>_id order by << rank(entity.trust) >>, << changed_at >> desc nulls last, record)::int as p
        , jsonb_build_object('system', system, 'stream', stream, 'key', key,
            'load_id', _load_id, 'mapping_version', _mapping_version) as source
    from member
),
gathered as (
    select << name >>_id
        , array_agg(system order by p) as _system
        , array_agg(system || '.' || stream order by p) as _stream
        , array_agg(record order by p) as _record
        , array_agg(source order by p) as _source
        , max(_mapping_version) as _mapping_version
<% for attribute, spec in attributes.items() %>
        , array_agg(<< attribute >> order by p) as _v_<< attribute >>
<% if spec.survivorship == 'latest' %>
        , (array_agg(p order by << attribute >> desc, p) filter (where << attribute >> is not null))[1] as _w_<< attribute >>
<% elif spec.trust and spec.trust != entity.trust %>
        , min(<< rank(spec.trust) >> * << span >> + p) filter (where << attribute >> is not null) % << span >> as _w_<< attribute >>
<% else %>
        , min(p) filter (where << attribute >> is not null) as _w_<< attribute >>
<% endif %>
<% endfor %>
    from ranked
    group by << name >>_id
)
select << name >>_id
<% for attribute in attributes %>
    , _v_<< attribute >>[_w_<< attribute >>] as << attribute >>
<% endfor %>
    , _system[1] as source_of_truth
    , (select array_agg(distinct s order by s) from unnest(_system) as s) as _systems
    , cardinality(_record) as _records
    , jsonb_strip_nulls(jsonb_build_object(
<% for attribute, spec in attributes.items() %>
        '<< attribute >>', case when _w_<< attribute >> is not null then _source[_w_<< attribute >>] || case _stream[_w_<< attribute >>]
<% for source in spec.sources | sort %>
            when '<< source >>' then << origin(spec, source) | literal >>::jsonb
<% endfor %>
        end end<< '' if loop.last else ',' >>
<% endfor %>
    )) as _provenance
    , _mapping_version
    -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
    , md5(row(_record
<% for attribute, spec in attributes.items() %>
        , << 'extract(epoch from _v_' ~ attribute ~ '[_w_' ~ attribute ~ '])' if spec.type == 'timestamptz' else '_v_' ~ attribute ~ '[_w_' ~ attribute ~ ']' >>, _w_<< attribute >>
<% endfor %>
    )::text) as _hash
from gathered
