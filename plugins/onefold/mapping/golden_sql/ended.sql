-- The ids that end with this publish, and the golden record that took in most of their members.
with <% include 'previous.sql' %>
select distinct on (p.<< name >>_id) p.<< name >>_id, heir.<< name >>_id as merged_into
from previous as p
left join {{ ref('<< name >>__candidate_crosswalk') }} as heir using (record)
where not exists (
    select from {{ ref('<< name >>__candidate_crosswalk') }} as lives where lives.<< name >>_id = p.<< name >>_id)
group by p.<< name >>_id, heir.<< name >>_id
order by p.<< name >>_id, (heir.<< name >>_id is null), count(*) desc, min(record)
