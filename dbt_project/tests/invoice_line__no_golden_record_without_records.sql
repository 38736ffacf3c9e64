-- generated from catalog/entities/invoice_line.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.invoice_line_id from {{ ref('invoice_line__candidate') }} as g
left join (select distinct invoice_line_id from {{ ref('invoice_line__candidate_crosswalk') }}) as x using (invoice_line_id)
group by g.invoice_line_id having count(x.invoice_line_id) <> 1
