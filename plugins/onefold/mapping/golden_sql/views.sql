-- The << name >> as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/golden_versions.py).
<% set versions = 'conformed.' ~ name ~ '_version' %>
<% set crosswalk = 'conformed.' ~ name ~ '_crosswalk_version' %>
<% set known_table = 'mapped.' ~ name ~ '__identifier' %>
<% set provenance = 'conformed.' ~ name ~ '_provenance' %>
<% set whole = 'conformed.' ~ name ~ ('_unmasked' if parties else '') %>
<% set may_read = '(select conformed.may_read_people())' %>
<% set published = "(select publish_id from ops.published where entity = '" ~ name ~ "')" %>

create or replace view conformed.<< name >>_crosswalk as
select system, stream, key, record, << name >>_id
from << crosswalk >>
where _publish_id <= << published >>
    and (_ended_publish_id is null or _ended_publish_id > << published >>);

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.<< name >>_id
<% for attribute in attributes %>
<% if attribute in hidden and not parties %>
            , case when << may_read >> then v.<< attribute >> end as << attribute >>
<% else %>
            , v.<< attribute >>
<% endif %>
<% if attribute in referenced %>
            , << attribute | id >>.<< referenced[attribute] >>_id as << attribute | id >>
<% endif %>
<% endfor %>
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(p.attributes, p.sources, _members, _winning_members, _loads, _mapping_versions)
                from << provenance >> as p where p._publish_id <= v._publish_id order by p._publish_id desc limit 1
            ) as _provenance
            , array(
                select w.reason from ops.golden_record_warning as w
                where w.entity = '<< name >>' and w.golden_id = v.<< name >>_id and w.publish_id <= << published >>
                    and (w.ended_publish_id is null or w.ended_publish_id > << published >>)
                order by w.reason
            ) as warnings
        from << versions >> as v
<% for attribute, other in referenced.items() %>
        left join conformed.<< other >>_crosswalk as << attribute | id >> on << attribute | id >>.record = v.<< attribute >>
<% endfor %>
        where v._publish_id <= << published >>
            and (v._ended_publish_id is null or v._ended_publish_id > << published >>)
    $view$;
begin
    execute 'create or replace view << whole >> as ' || definition;
exception when invalid_table_definition then
    drop view << whole >> cascade; -- the marts that read it are made anew by the next publish
    execute 'create view << whole >> as ' || definition;
end $do$;
<% if parties %>
comment on view << whole >> is
    'What conformed.<< name >> shows, with what is said of natural persons. For marts, which mask what they show of it.';

-- What is personal, and what is said of a company that is a natural person, only onefold_pii reads (14_people.sql).
do $do$
declare
    definition text := $view$
        select v.<< name >>_id
<% for attribute in attributes %>
<% if attribute in hidden %>
            , case when << may_read >> then v.<< attribute >> end as << attribute >>
<% elif attribute in party_of %>
            , case when << may_read >> or not party_<< parties.index(party_of[attribute]) >>.is_natural_person then v.<< attribute >> end as << attribute >>
<% else %>
            , v.<< attribute >>
<% endif %>
<% if attribute in referenced %>
            , v.<< attribute | id >>
<% endif %>
<% endfor %>
            , v.source_of_truth, v.systems, v.record_count, v._provenance, v.warnings
        from << whole >> as v
<% for party in parties %>
        cross join lateral (
            select conformed.is_natural_person(v.<< party.name >>, << 'v.' ~ party.court_number if party.court_number else 'null' >>) offset 0
        ) as party_<< loop.index0 >> (is_natural_person)
<% endfor %>
    $view$;
begin
    execute 'create or replace view conformed.<< name >> as ' || definition;
exception when invalid_table_definition then
    drop view conformed.<< name >> cascade;
    execute 'create view conformed.<< name >> as ' || definition;
end $do$;
alter view << whole >> owner to onefold_loader;
<% endif %>

-- Every version that was shown, from when to when, and what was shown at a moment.
do $do$
declare
    definition text := $view$
        select v.<< name >>_id, began.ended_at as valid_from, ended.ended_at as valid_to
<% for attribute in attributes %>
<% if attribute in hidden %>
            , case when << may_read >> then v.<< attribute >> end as << in_history(attribute) >>
<% elif attribute in party_of %>
            , case when << may_read >> or not party_<< parties.index(party_of[attribute]) >>.is_natural_person then v.<< attribute >> end as << in_history(attribute) >>
<% else %>
            , v.<< attribute >><% if in_history(attribute) != attribute %> as << in_history(attribute) >><% endif %>

<% endif %>
<% if attribute in referenced %>
            , << attribute | id >>.<< referenced[attribute] >>_id as << attribute | id >>
<% endif %>
<% endfor %>
            , v.source_of_truth, v._systems as systems, v._records as record_count
        from << versions >> as v
        left join ops.publish as began on began.publish_id = v._publish_id
        left join ops.publish as ended on ended.publish_id = v._ended_publish_id and v._ended_publish_id <= << published >>
<% for attribute, other in referenced.items() %>
        left join conformed.<< other >>_crosswalk_version as << attribute | id >> on << attribute | id >>.record = v.<< attribute >>
            and << attribute | id >>._publish_id <= v._publish_id
            and (<< attribute | id >>._ended_publish_id is null or << attribute | id >>._ended_publish_id > v._publish_id)
<% endfor %>
<% for party in parties %>
        cross join lateral (
            select conformed.is_natural_person(v.<< party.name >>, << 'v.' ~ party.court_number if party.court_number else 'null' >>) offset 0
        ) as party_<< loop.index0 >> (is_natural_person)
<% endfor %>
        where v._publish_id <= << published >>
    $view$;
begin
    execute 'create or replace view conformed.<< name >>_history as ' || definition;
exception when invalid_table_definition then
    drop view conformed.<< name >>_history cascade;
    execute 'create view conformed.<< name >>_history as ' || definition;
end $do$;
create or replace function conformed.<< name >>_as_of(moment timestamptz) returns setof conformed.<< name >>_history
language sql stable parallel safe as $$
    select * from conformed.<< name >>_history where valid_from <= moment and (valid_to is null or moment < valid_to)
$$;
comment on view conformed.<< name >>_history is
    << (entity.title ~ ': every version that was shown in conformed.' ~ name ~ ', and from when to when.') | literal >>;
comment on column conformed.<< name >>_history.valid_from is 'Since when it was shown.';
comment on column conformed.<< name >>_history.valid_to is 'Since when it was shown no more; NULL - it is shown now.';
<% for attribute, spec in attributes.items() if in_history(attribute) != attribute %>
comment on column conformed.<< name >>_history.<< in_history(attribute) >> is << spec.meaning | literal >>;
<% endfor %>
comment on function conformed.<< name >>_as_of(timestamptz) is 'What conformed.<< name >> showed at that moment.';
alter view conformed.<< name >>_history owner to onefold_loader;
alter function conformed.<< name >>_as_of(timestamptz) owner to onefold_loader;
revoke all on function conformed.<< name >>_as_of(timestamptz) from public;

<% for search, text in searches.items() %>
<% if text %>
-- Which golden records that are shown have the text in a name or number. With the engine's rights: it says which, and
-- nothing of them. Of what a publish ended that is later than the one shown, no index has anything.
create or replace function conformed.<< search >>(text text, most int) returns setof uuid
language plpgsql stable security definer rows 20 set search_path = pg_catalog, pg_temp set work_mem = '64MB' as $do$
declare
    shown   bigint := << published >>;
    pattern text := '%' || conformed.search_form(text) || '%';
begin
    return query execute $query$
        select << name >>_id from << versions >>
        where _ended_publish_id is null and _publish_id <= $1 and << text >> like $2 limit $3
    $query$ using shown, pattern, most;
    if shown < (select max(publish_id) from ops.publish where state = 'published') then
        return query execute $query$
            select << name >>_id from << versions >>
            where _ended_publish_id > $1 and _publish_id <= $1 and << text >> like $2 limit $3
        $query$ using shown, pattern, most;
    end if;
end $do$;
comment on function conformed.<< search >>(text, int) is
    << ('The ' ~ name ~ ' ids with the text in a name or number' ~ (' of a person' if search.endswith('_people') else '') ~ ', at most so many.') | literal >>;
alter function conformed.<< search >>(text, int) owner to onefold_loader;
revoke all on function conformed.<< search >>(text, int) from public;
grant execute on function conformed.<< search >>(text, int) to <% if search.endswith('_people') %>onefold_pii<% else %>onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii<% endif %>;
<% else %>
drop function if exists conformed.<< search >>(text, int);
<% endif %>
<% endfor %>

comment on table << known_table >> is 'By what each living record could be recognised at the newest publish.';
comment on table << versions >> is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on table << provenance >> is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.<< name >> is << (entity.title ~ ': the golden records that are published now. One statement sees one publish.') | literal >>;
<% for attribute, spec in attributes.items() %>
comment on column conformed.<< name >>.<< attribute >> is << (spec.meaning ~ (' NULL for readers without onefold_pii.' if attribute in hidden else ' NULL for readers without onefold_pii where it is of a natural person.' if attribute in party_of else '')) | literal >>;
<% if spec.references %>
comment on column conformed.<< name >>.<< attribute | id >> is << ('The ' ~ spec.references ~ ' (conformed.' ~ spec.references ~ ') that ' ~ attribute ~ ' is a record of.') | literal >>;
<% endif %>
<% endfor %>

alter view conformed.<< name >> owner to onefold_loader;
alter view conformed.<< name >>_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none; engineers read of them
-- what is not personal. Revoking the table's right takes the columns' rights along, so an attribute that became personal
-- is closed here. Of a view everybody may read every column: what is personal is NULL there for who may not see it.
revoke all on << versions >>, << crosswalk >>, << provenance >><% if parties %>, << whole >><% endif %>, conformed.<< name >>, conformed.<< name >>_history, conformed.<< name >>_crosswalk
    from onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on << crosswalk >>, << provenance >> to onefold_engineer;
grant select (
    << name >>_id, source_of_truth, _systems, _records, _members, _loads, _mapping_versions, _winning_members, _publish_id
    , _ended_publish_id, _merged_into
<% for attribute in attributes if attribute not in hidden and attribute not in party_of %>
    , << attribute >>
<% endfor %>
) on << versions >> to onefold_engineer;
grant select on << known_table >> to onefold_pii; -- who is an engineer as well: the schema is theirs
grant execute on function conformed.<< name >>_as_of(timestamptz)
    to onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;
grant select on conformed.<< name >>, conformed.<< name >>_history, conformed.<< name >>_crosswalk
    to onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;
