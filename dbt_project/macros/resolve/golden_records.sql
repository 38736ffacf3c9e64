{% macro golden_records(entity, systems, strong, trust, attributes, latest=[], totals=[], timestamps=[], trust_of={}, units={}, living={}) -%}
{#- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
    `attributes` are all of the entity's, in order; of these, `latest` survive by the greatest value, `totals` are the
    sum of what the winning system's records say, `timestamps` are moments, and `trust_of` has an order of trust of its own;
    `units` say what others mean (an amount's currency) and are taken from the record that gave the first of these that has a
    value, though it says none: another record's currency is not that amount's. Of equally trusted records a living one counts, then the one
    changed last; `living` says at which values of an attribute a record is of something that has ended.
    One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
    own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
    twice or a correlated subquery: PostgreSQL would then read and sort on one core. -#}
{%- set id = entity ~ '_id' -%}
{%- set span = 1048576 -%}{#- more than a cluster has records: rank * span + p orders by rank, then by p -#}
{%- set survivor = {} -%}
{%- for attribute in attributes -%}
{%- set values, place = '_values_' ~ attribute, '_winner_' ~ attribute -%}
{%- set total = '(select sum(part.value) from unnest(' ~ values ~ ', _member_systems) as part (value, system) where part.system = _member_systems[' ~ place ~ '])' -%}
{%- set _ = survivor.update({attribute: total if attribute in totals else values ~ '[' ~ place ~ ']'}) -%}
{%- endfor -%}
{%- set winner = {} -%}
{%- for attribute in attributes -%}
{%- set filled = ' filter (where ' ~ attribute ~ ' is not null)' -%}
{%- set _ = winner.update({attribute:
    '(array_agg(p order by ' ~ attribute ~ ' desc, p)' ~ filled ~ ')[1]' if attribute in latest
    else 'min(' ~ trust_rank('system', trust_of[attribute]) ~ ' * ' ~ span ~ ' + p)' ~ filled ~ ' % ' ~ span if attribute in trust_of
    else 'min(p)' ~ filled}) -%}
{%- endfor -%}
{%- set changed_at = 'last_changed' if 'last_changed' in attributes else '_extracted_at' -%}
with member as (
{%- for system in systems %}
    select x.{{ id }}, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
{%- for attribute in attributes %}
{%- if attribute in strong %}
        , case when '{{ attribute }}' = any (d.withheld) then null else m.{{ attribute }} end as {{ attribute }}
{%- else %}
        , m.{{ attribute }}
{%- endif %}
{%- endfor %}
    from {{ ref(entity ~ '__candidate_crosswalk') }} as x
    join {{ ref(system ~ '__' ~ entity) }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.withheld
        from {{ ref(entity ~ '__strong') }} as strong join {{ ref(entity ~ '__member') }} as member using (n)
        where strong.conflicted and strong.withheld <> '{}'
    ) as d on d.record = x.record
    where x.system = '{{ system }}'
{%- if not loop.last %}
    union all
{%- endif %}
{%- endfor %}
),
ranked as (
    select *
        , row_number() over (
            partition by {{ id }} order by {{ trust_rank('system', trust) }}
{%- if living %}, coalesce({{ living.attribute }} in ('{{ living.ended | join("', '") }}'), false){% endif %}, {{ changed_at }} desc nulls last, record)::int as p
    from member
),
gathered as (
    select {{ id }}
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
{%- if totals %}
        , array_agg(system order by p) as _member_systems
{%- endif %}
{%- for attribute in attributes %}
        , array_agg({{ attribute }} order by p) as _values_{{ attribute }}
        , {% if attribute in units %}coalesce({% for amount in units[attribute] %}{{ winner[amount] }}, {% endfor %}{{ winner[attribute] }}){% else %}{{ winner[attribute] }}{% endif %} as _winner_{{ attribute }}
{%- endfor %}
    from ranked
    group by {{ id }}
),
golden as (
    select {{ id }}
{%- for attribute in attributes %}
        , {{ survivor[attribute] }} as {{ attribute }}
{%- endfor %}
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[{% for attribute in attributes %}{{ 'case when ' ~ survivor[attribute] ~ ' is not null then _winner_' ~ attribute ~ ' end' if attribute in units else '_winner_' ~ attribute }}{{ '' if loop.last else ', ' }}{% endfor %}]::int[] as _winning_members
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
{%- for attribute in attributes %}
            , {{ 'extract(epoch from ' ~ survivor[attribute] ~ ')' if attribute in timestamps else survivor[attribute] }}, _winner_{{ attribute }}
{%- endfor %}
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join {{ published_table(entity, 'version') }} as live
    on live.{{ id }} = golden.{{ id }} and live._ended_publish_id is null
{%- endmacro %}
