-- One row per (output column, input field) of completed runs, from the columnLineage facet.
create or replace view lineage.column_edge as
select e.run_id,
       (o.dataset ->> 'namespace') || '/' || (o.dataset ->> 'name') as output_dataset,
       f.key as output_column,
       (i.field ->> 'namespace') || '/' || (i.field ->> 'name') as input_dataset,
       i.field ->> 'field' as input_field,
       i.field #>> '{transformations,0,description}' as transformation
from lineage.event e
cross join lateral jsonb_array_elements(e.event -> 'outputs') as o(dataset)
cross join lateral jsonb_each(o.dataset #> '{facets,columnLineage,fields}') as f
cross join lateral jsonb_array_elements(f.value -> 'inputFields') as i(field)
where e.event_type = 'COMPLETE';
