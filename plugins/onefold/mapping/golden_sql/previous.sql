previous as materialized (
    select record, v.<< name >>_id
    from (
        select record from {{ ref('<< name >>__member') }}
        union
        select record from {{ ref('<< name >>__changed') }}
    ) as looked_at
    join conformed.<< name >>_crosswalk_version as v using (record)
    where v._ended_publish_id is null
)
