<% set versions = 'conformed.' ~ name ~ '_version' %>
<% set crosswalk = 'conformed.' ~ name ~ '_crosswalk_version' %>
<% set known_table = 'mapped.' ~ name ~ '__identifier' %>
<% set provenance = 'conformed.' ~ name ~ '_provenance' %>
create table if not exists << known_table >> (
    record text collate "C" not null,
    _load_id bigint not null<% for column, type in known.items() if column not in ('record', '_load_id') %>,
    << column >> << type >><% endfor %>

);

create table if not exists << versions >> (
    << name >>_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _winning_members int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid<% for attribute, spec in attributes.items() %>,
    << attribute >> << spec.type >><% endfor %>

);

create table if not exists << crosswalk >> (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    << name >>_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists << provenance >> (
    _publish_id bigint primary key,
    attributes text[] not null,
    sources jsonb not null
);
alter table << known_table >> owner to onefold_loader;
alter table << versions >> owner to onefold_loader;
alter table << crosswalk >> owner to onefold_loader;
alter table << provenance >> owner to onefold_loader;
