-- A golden record is there once, and stands for at least one record.
select g.<< name >>_id from {{ ref('<< name >>__candidate') }} as g
left join (select distinct << name >>_id from {{ ref('<< name >>__candidate_crosswalk') }}) as x using (<< name >>_id)
group by g.<< name >>_id having count(x.<< name >>_id) <> 1
