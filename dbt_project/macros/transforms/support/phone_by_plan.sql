{#- E.164 of dialled digits (three names of columns: digits, whether a + was before them, the country from which they are dialled):
    each way in which they may be meant, the likeliest first, of which the first counts that a numbering plan knows. -#}
{%- macro phone_by_plan(digits, signed, country) -%}
(select '+' || reading.calling_code || candidate.number
 from (select 1) as once
 left join ops.phone_region as home on home.region = {{ country }}
 cross join lateral (
    select 1 as likelihood, code.calling_code, code.region, substr({{ digits }}, length(code.calling_code) + 1) as rest, true as explicit
    from ops.phone_calling_code as code
    where {{ signed }} and code.calling_code in (left({{ digits }}, 1), left({{ digits }}, 2), left({{ digits }}, 3))
    union all
    select 2, code.calling_code, code.region, substr({{ digits }}, length(dialled) + length(code.calling_code) + 1), true
    from unnest(coalesce(home.international_prefixes, '{00}')) as dialled
    join ops.phone_calling_code as code on code.calling_code in (substr({{ digits }}, length(dialled) + 1, 1),
        substr({{ digits }}, length(dialled) + 1, 2), substr({{ digits }}, length(dialled) + 1, 3))
    where not {{ signed }} and starts_with({{ digits }}, dialled)
    union all
    select 3, home.calling_code, home.region, {{ digits }}, false where not {{ signed }} and home.region is not null
    union all
    select 4, home.calling_code, code.region, substr({{ digits }}, length(home.calling_code) + 1), false
    from ops.phone_calling_code as code
    where not {{ signed }} and starts_with({{ digits }}, home.calling_code) and code.calling_code = home.calling_code
 ) as reading
 join ops.phone_region as dialling on dialling.region = reading.region
 cross join lateral (
    select 1 as likelihood, regexp_replace(rest, dialling.carrier_rule, dialling.carrier_replacement) as number
    where (regexp_match(rest, dialling.carrier_rule))[cardinality(regexp_match(rest, dialling.carrier_rule))] is not null
    union all
    select 2, substr(rest, length(trunk) + 1) from unnest(dialling.trunk_prefixes) as trunk where starts_with(rest, trunk)
    union all
    select 3, rest
 ) as candidate
 left join ops.phone_plan as plan on plan.calling_code = reading.calling_code and plan.digits = length(candidate.number)
    and plan.prefixes @> nullif(left(candidate.number, 3), '')::int
 where plan.digits is not null or reading.explicit and exists (select from ops.phone_calling_code as possible
    where possible.calling_code = reading.calling_code and length(candidate.number) = any (possible.lengths))
 order by reading.likelihood, plan.digits is null, candidate.likelihood, length(candidate.number)
 limit 1)
{%- endmacro -%}
