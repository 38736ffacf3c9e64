-- Functions that conform runs, and the views of entities use.

-- Connected components of the undirected edges (a, b) that a query gives. Each round points every node at its least
-- neighbour, follows the pointers to their ends and contracts: at least half of the nodes that still have an edge
-- disappear per round, so the work is linear in the edges, times a small logarithm, whatever the shape of the graph.
create or replace function ops.components(edges text) returns table (node bigint, root bigint)
language plpgsql set client_min_messages = warning as $$
#variable_conflict use_column
declare
    moved bigint;
begin
    drop table if exists pg_temp.component_edge, pg_temp.component_node, pg_temp.component_parent;
    execute 'create temp table component_edge on commit drop as '
        'select distinct greatest(a, b)::bigint as a, least(a, b)::bigint as b from (' || edges || ') as given where a <> b';
    create temp table component_node on commit drop as
        select a as node, a as root from component_edge union select b, b from component_edge;
    while exists (select from component_edge) loop
        create temp table component_parent on commit drop as
            select a as node, min(b) as parent from component_edge group by a;
        loop
            create temp table component_next on commit drop as
                select near.node, coalesce(far.parent, near.parent) as parent, far.parent is not null as moved
                from component_parent as near left join component_parent as far on far.node = near.parent;
            drop table component_parent;
            select count(*) filter (where moved) into moved from component_next;
            alter table component_next drop column moved;
            alter table component_next rename to component_parent;
            exit when moved = 0;
        end loop;
        create temp table component_next on commit drop as
            select n.node, coalesce(p.parent, n.root) as root
            from component_node as n left join component_parent as p on p.node = n.root;
        drop table component_node;
        alter table component_next rename to component_node;
        create temp table component_next on commit drop as
            select distinct greatest(a, b) as a, least(a, b) as b
            from (select coalesce(pa.parent, e.a) as a, coalesce(pb.parent, e.b) as b
                  from component_edge as e
                  left join component_parent as pa on pa.node = e.a
                  left join component_parent as pb on pb.node = e.b) as contracted
            where a <> b;
        drop table component_edge, component_parent;
        alter table component_next rename to component_edge;
    end loop;
    return query select node, root from component_node;
end $$;

-- The records whose clusters may differ because of the changed ones: everything connected to the old or the new values
-- of a changed record by an equal value in one of the columns. `candidate` holds the new identifiers of the changed
-- records, `state` those of the last publish; only what is found is ever looked at, by index.
create or replace function ops.touched(changed regclass, candidate regclass, state regclass, identifiers text[])
returns setof text language plpgsql set client_min_messages = warning as $$
declare
    columns text := (select string_agg(quote_ident(i), ', ') from unnest(identifiers) as i);
    matches text := (
        select string_agg(format('select s.record from %1$s as s where s.%2$I in '
            '(select %2$I from touched_frontier where %2$I is not null)', state, i), ' union ')
        from unnest(identifiers) as i);
    found bigint;
begin
    drop table if exists pg_temp.touched_record, pg_temp.touched_frontier;
    execute format('create temp table touched_record on commit drop as select record from %s', changed);
    create index on touched_record (record);
    analyze touched_record;
    execute format('create temp table touched_frontier on commit drop as select %1$s from %2$s '
        'union select %1$s from %3$s where record in (select record from touched_record)', columns, candidate, state);
    loop
        analyze touched_frontier;
        execute format('create temp table touched_found on commit drop as select found.record from (%s) as found '
            'where not exists (select from touched_record as t where t.record = found.record)', matches);
        get diagnostics found = row_count;
        exit when found = 0;
        insert into touched_record select record from touched_found;
        drop table touched_frontier;
        execute format('create temp table touched_frontier on commit drop as select distinct %s from %s '
            'where record in (select record from touched_found)', columns, state);
        drop table touched_found;
    end loop;
    drop table touched_found;
    return query select record from touched_record;
end $$;

-- Where each attribute of a golden record came from: {attribute: {system, stream, key, load_id, mapping_version, field,
-- transform}}. A version keeps it as numbers, an eighth of the size and of the work; it is spelled out for who asks.
-- `winning_members` has, per attribute, which of `members` its value is from; `sources` the field and the transform by
-- which each stream gives it.
create or replace function conformed.provenance(
    attributes text[], sources jsonb, members text[], winning_members int[], loads bigint[], mapping_versions int[]
) returns jsonb language sql immutable parallel safe as $$
    select coalesce(jsonb_object_agg(attributes[a], jsonb_build_object('system', system, 'stream', stream,
        'key', substr(members[member], length(system) + length(stream) + 3), 'load_id', loads[member],
        'mapping_version', mapping_versions[member]) || (sources -> attributes[a] -> (system || '.' || stream))), '{}')
    from unnest(winning_members) with ordinality as g (member, a),
        split_part(members[member], '|', 1) as system, split_part(members[member], '|', 2) as stream
    where member is not null
$$;

-- What kind of value stands in a record, without the value: letters become a, digits 9. For messages and the quarantine.
create or replace function ops.value_kind(value jsonb) returns text
language sql immutable parallel safe as $$
    select case coalesce(jsonb_typeof(value), 'missing')
        when 'string' then case when value #>> '{}' = '' then 'an empty text' else format('text like %s%s',
            regexp_replace(regexp_replace(left(value #>> '{}', 40), '[0-9]', '9', 'g'), '[^ -@[-`{-~]', 'a', 'g'),
            case when length(value #>> '{}') > 40 then ' …' else '' end) end
        else coalesce(jsonb_typeof(value), 'missing')
    end
$$;
