-- The records that came or went with this publish's loads.
{%- set taken_in = 'true' if '<< name >>' in var('full_mapping') else
    '_load_id in (select load_id from ops.publish_load where publish_id = ' ~ var('publish_id') ~ ')' %}

<% for system in systems %>
select _record collate "C" as record from {{ ref('<< system >>__<< name >>') }} where {{ taken_in }}
union
<% endfor %>
-- A load that was rolled back: its records are gone from the mapped models, or back to an earlier load.
select record from mapped.<< name >>__identifier where {{ taken_in }}
