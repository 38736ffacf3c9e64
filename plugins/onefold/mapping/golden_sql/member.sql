-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    {% if '<< name >>' in var('full_mapping') -%}
    select record from {{ ref('<< name >>__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref('<< name >>__changed') }}', '{{ ref('<< name >>__candidate_identifier') }}', 'mapped.<< name >>__identifier',
        array['<< identifiers | join("', '") >>']) as record
    {%- endif %}
),
member as (
    select << known | join(', ') >> from {{ ref('<< name >>__candidate_identifier') }}
    union all
    select << known | join(', ') >> from mapped.<< name >>__identifier as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref('<< name >>__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
