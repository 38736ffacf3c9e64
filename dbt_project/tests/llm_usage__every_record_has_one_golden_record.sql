-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
-- Each touched record is in the crosswalk once, and its golden record is there.
select m.record from {{ ref('llm_usage__member') }} as m
left join {{ ref('llm_usage__candidate_crosswalk') }} as x using (record)
left join {{ ref('llm_usage__candidate') }} as g using (llm_usage_id)
group by m.record having count(g.llm_usage_id) <> 1
