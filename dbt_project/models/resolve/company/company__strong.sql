-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['company']) }}

-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name. When they name several, it is contested, and belongs
-- to the one that the most trusted system names, or to none when that does not decide it. A record's value that belongs
-- to another group is disowned: it is not published.
with component as materialized (
    select node, root from ops.components($edges$
        with labelled as materialized (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('company__member') }} as m left join (
            select tax_id_pl, min(n) as n from {{ ref('company__member') }} group by tax_id_pl
        ) as first using (tax_id_pl))
        select l.label as a, least.label as b from labelled as l join (
            select regon, min(label) as label from labelled where regon is not null group by regon
        ) as least using (regon)
        union all
        select l.label as a, least.label as b from labelled as l join (
            select krs, min(label) as label from labelled where krs is not null group by krs
        ) as least using (krs)
        union all
        select l.label as a, least.label as b from labelled as l join (
            select eu_vat, min(label) as label from labelled where eu_vat is not null group by eu_vat
        ) as least using (eu_vat)
    $edges$)
),
labelled as materialized (
    select l.n, coalesce(c.root, l.label) as root, case split_part(l.record, '|', 1) when 'krs' then 1 when 'regon' then 2 when 'white_list' then 3 when 'vies' then 4 else 5 end as rank, l.tax_id_pl, l.regon, l.krs, l.eu_vat
    from (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('company__member') }} as m left join (
            select tax_id_pl, min(n) as n from {{ ref('company__member') }} group by tax_id_pl
        ) as first using (tax_id_pl)) as l left join component as c on c.node = l.label
),
torn_root as materialized (
    select root from labelled group by root having min(tax_id_pl) <> max(tax_id_pl) or min(regon) <> max(regon) or min(krs) <> max(krs) or min(eu_vat) <> max(eu_vat)
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
tax_id_pl_group as materialized (
    select distinct tax_id_pl as value, 'tax_id_pl:' || tax_id_pl as name, 1::bigint as claims
    from torn where tax_id_pl is not null
),
regon_group as materialized (
    select v.value, coalesce(c.name, 'regon:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct regon as value from torn where regon is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
                select t.regon as value, g.name, t.rank from torn as t join tax_id_pl_group as g on g.value = t.tax_id_pl
                where t.regon is not null
            ) as said
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
),
krs_group as materialized (
    select v.value, coalesce(c.name, 'krs:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct krs as value from torn where krs is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
                select t.krs as value, g.name, t.rank from torn as t join tax_id_pl_group as g on g.value = t.tax_id_pl
                where t.krs is not null
                union all
                select t.krs as value, g.name, t.rank from torn as t join regon_group as g on g.value = t.regon
                where t.krs is not null and t.tax_id_pl is null
            ) as said
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
),
eu_vat_group as materialized (
    select v.value, coalesce(c.name, 'eu_vat:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct eu_vat as value from torn where eu_vat is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
                select t.eu_vat as value, g.name, t.rank from torn as t join tax_id_pl_group as g on g.value = t.tax_id_pl
                where t.eu_vat is not null
                union all
                select t.eu_vat as value, g.name, t.rank from torn as t join regon_group as g on g.value = t.regon
                where t.eu_vat is not null and t.tax_id_pl is null
                union all
                select t.eu_vat as value, g.name, t.rank from torn as t join krs_group as g on g.value = t.krs
                where t.eu_vat is not null and t.tax_id_pl is null and t.regon is null
            ) as said
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
),
mended as (
    select t.n, t.root, own.name
        , array_remove(array[
            case when tax_id_pl_group.claims > 1 then 'tax_id_pl' end,
            case when regon_group.claims > 1 then 'regon' end,
            case when krs_group.claims > 1 then 'krs' end,
            case when eu_vat_group.claims > 1 then 'eu_vat' end
        ], null) as contested
        , array_remove(array[
            case when tax_id_pl_group.name <> own.name then 'tax_id_pl' end,
            case when regon_group.name <> own.name then 'regon' end,
            case when krs_group.name <> own.name then 'krs' end,
            case when eu_vat_group.name <> own.name then 'eu_vat' end
        ], null) as disowned
    from torn as t
    left join tax_id_pl_group on tax_id_pl_group.value = t.tax_id_pl
    left join regon_group on regon_group.value = t.regon
    left join krs_group on krs_group.value = t.krs
    left join eu_vat_group on eu_vat_group.value = t.eu_vat
    cross join lateral (select coalesce(tax_id_pl_group.name, regon_group.name, krs_group.name, eu_vat_group.name) as name) as own
)
select l.n, l.root as unit, false as torn, null::text[] as contested, null::text[] as disowned
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested, disowned from mended
