-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.document_id from {{ ref('document__candidate') }} as g
left join (select distinct document_id from {{ ref('document__candidate_crosswalk') }}) as x using (document_id)
group by g.document_id having count(x.document_id) <> 1
