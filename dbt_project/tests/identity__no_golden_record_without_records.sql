-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.identity_id from {{ ref('identity__candidate') }} as g
left join (select distinct identity_id from {{ ref('identity__candidate_crosswalk') }}) as x using (identity_id)
group by g.identity_id having count(x.identity_id) <> 1
