previous as materialized (
    select record, << name >>_id from conformed.<< name >>_crosswalk_version
    where _ended_publish_id is null and (
        record in (select record from {{ ref('<< name >>__member') }})
        or record in (select record from {{ ref('<< name >>__changed') }}))
)
