-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.invoice_id from {{ ref('invoice__candidate') }} as g
left join (select distinct invoice_id from {{ ref('invoice__candidate_crosswalk') }}) as x using (invoice_id)
group by g.invoice_id having count(x.invoice_id) <> 1
