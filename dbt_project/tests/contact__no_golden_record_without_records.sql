-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.contact_id from {{ ref('contact__candidate') }} as g
left join (select distinct contact_id from {{ ref('contact__candidate_crosswalk') }}) as x using (contact_id)
group by g.contact_id having count(x.contact_id) <> 1
