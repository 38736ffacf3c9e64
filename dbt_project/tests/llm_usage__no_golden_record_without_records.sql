-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.llm_usage_id from {{ ref('llm_usage__candidate') }} as g
left join (select distinct llm_usage_id from {{ ref('llm_usage__candidate_crosswalk') }}) as x using (llm_usage_id)
group by g.llm_usage_id having count(x.llm_usage_id) <> 1
