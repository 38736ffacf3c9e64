-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.supplier_id from {{ ref('supplier__candidate') }} as g
left join (select distinct supplier_id from {{ ref('supplier__candidate_crosswalk') }}) as x using (supplier_id)
group by g.supplier_id having count(x.supplier_id) <> 1
