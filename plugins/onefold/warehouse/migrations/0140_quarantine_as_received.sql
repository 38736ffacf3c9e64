-- A cell that a file's reader could not read stood in quarantine with the reason behind it, and a replay after its field
-- had become a text would have published that reason. It stands there as it was received, with the reason under _file.
update ops.quarantine q
set payload = q.payload || fixed.received
    || jsonb_build_object('_file', (q.payload -> '_file') || jsonb_build_object('unread', fixed.reasons))
from (
    select w.quarantine_id,
           jsonb_object_agg(cell.key, regexp_replace(cell.value #>> '{}', ' [(]no (number with the decimal mark|date written as) [^()]*[)]$', '')) as received,
           jsonb_object_agg(cell.key, substring(cell.value #>> '{}' from ' [(](no (?:number with the decimal mark|date written as) [^()]*)[)]$')) as reasons
    from ops.quarantine w cross join lateral jsonb_each(case when jsonb_typeof(w.payload) = 'object' then w.payload else '{}' end) cell
    where w.state = 'open' and jsonb_typeof(w.payload -> '_file') = 'object' and jsonb_typeof(cell.value) = 'string'
      and cell.value #>> '{}' ~ ' [(]no (number with the decimal mark|date written as) [^()]*[)]$'
    group by w.quarantine_id
) fixed
where q.quarantine_id = fixed.quarantine_id;
