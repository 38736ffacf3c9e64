-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.beneficial_owner_id from {{ ref('beneficial_owner__candidate') }} as g
left join (select distinct beneficial_owner_id from {{ ref('beneficial_owner__candidate_crosswalk') }}) as x using (beneficial_owner_id)
group by g.beneficial_owner_id having count(x.beneficial_owner_id) <> 1
