-- By what each changed, living record can be recognised.
with folded as (
<% for system in systems %>
    select m._record collate "C" as record, m._load_id, m.<< kinds | join(', m.') >>
<% if cautious %>
        , {{ name_key('m.<< cautious.name >>') }} as name_key
        , {{ name_is_cut('m.<< cautious.name >>') }} as cut
        , <% for part in cautious.address %>{{ address_key('m.<< part >>') }}<< '' if loop.last else ' || ' >><% endfor %> as address_key
<% endif %>
    from {{ ref('<< system >>__<< name >>') }} as m
    join {{ ref('<< name >>__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
<% if not loop.last %>
    union all
<% endif %>
<% endfor %>
)
select record, _load_id, << kinds | join(', ') >>
<% if cautious %>
    , name_key, cut
    , case when length(name_key) >= 3 and address_key <> '' then name_key || '|' || address_key end as cautious_key
    -- Where a name may have been cut, its first letters must agree before it is compared at all.
    , case when length(name_key) >= 24 and address_key <> '' then left(name_key, 24) || '|' || address_key end as cut_key
<% endif %>
from folded
