-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
-- A golden record is there once, and stands for at least one record.
select g.message_id from {{ ref('message__candidate') }} as g
left join (select distinct message_id from {{ ref('message__candidate_crosswalk') }}) as x using (message_id)
group by g.message_id having count(x.message_id) <> 1
