-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
-- The employee as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.employee_crosswalk as
select system, stream, key, record, employee_id
from conformed.employee_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'employee')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'employee'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.employee_id
            , v.hr_number
            , v.employee_number
            , v.email
            , v.first_name
            , v.last_name
            , v.phone
            , v.pesel
            , v.born_on
            , v.department
            , v.job_title
            , v.location
            , v.manager_record
            , manager_id.employee_id as manager_id
            , v.hired_on
            , v.left_on
            , v.status
            , v.salary
            , v.salary_currency
            , v.salary_period
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.employee_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.employee_version as v
        left join conformed.employee_crosswalk as manager_id on manager_id.record = v.manager_record
        where v._publish_id <= (select publish_id from ops.published where entity = 'employee')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'employee'))
    $view$;
begin
    execute 'create or replace view conformed.employee as ' || definition;
exception when invalid_table_definition then
    drop view conformed.employee cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.employee as ' || definition;
end $do$;
comment on table mapped.employee__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.employee_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.employee_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.employee_version._given is
    'Per attribute of conformed.employee_origin, whose value it is: the place of the record among _members.';
comment on column conformed.employee_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.employee_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.employee is 'Employee: the golden records that are published now. One statement sees one publish.';
comment on column conformed.employee.hr_number is 'The number by which HR knows the person.';
comment on column conformed.employee.employee_number is 'The number on the badge.';
comment on column conformed.employee.email is 'The address at work.';
comment on column conformed.employee.first_name is 'The first name.';
comment on column conformed.employee.last_name is 'The surname.';
comment on column conformed.employee.phone is 'The telephone number, as E.164.';
comment on column conformed.employee.pesel is 'The personal number (PESEL).';
comment on column conformed.employee.born_on is 'The day of birth.';
comment on column conformed.employee.department is 'The department, as HR calls it.';
comment on column conformed.employee.job_title is 'What the person does.';
comment on column conformed.employee.location is 'Where the person works.';
comment on column conformed.employee.manager_record is 'The record of the person''s superior.';
comment on column conformed.employee.manager_id is 'The employee (conformed.employee) that manager_record is a record of.';
comment on column conformed.employee.hired_on is 'The first day of work.';
comment on column conformed.employee.left_on is 'The last day of work.';
comment on column conformed.employee.status is 'active or inactive.';
comment on column conformed.employee.salary is 'The present pay for the period that salary_period names, in salary_currency.';
comment on column conformed.employee.salary_currency is 'The currency of salary, ISO 4217.';
comment on column conformed.employee.salary_period is 'For which time salary is paid.';
comment on column conformed.employee.last_changed is 'Since when the present pay counts.';

alter view conformed.employee owner to onefold_loader;
alter view conformed.employee_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.employee_version, conformed.employee_crosswalk_version, conformed.employee_origin, conformed.employee, conformed.employee_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.employee__identifier, conformed.employee_version, conformed.employee_crosswalk_version, conformed.employee_origin, conformed.employee, conformed.employee_crosswalk to onefold_engineer;
grant select (
    employee_id, source_of_truth, systems, record_count, _provenance
    , hr_number
    , employee_number
    , department
    , job_title
    , location
    , manager_record, manager_id
    , hired_on
    , left_on
    , status
    , salary_currency
    , salary_period
    , last_changed
) on conformed.employee to onefold_analyst, onefold_auditor;
grant select on conformed.employee to onefold_pii;
grant select on conformed.employee_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
