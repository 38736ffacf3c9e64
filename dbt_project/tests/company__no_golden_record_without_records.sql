-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.company_id from {{ ref('company__candidate') }} as g
left join (select distinct company_id from {{ ref('company__candidate_crosswalk') }}) as x using (company_id)
group by g.company_id having count(x.company_id) <> 1
