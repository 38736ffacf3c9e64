-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['employee']) }}

-- The new state of every golden record whose cluster was touched: which value survives, and where it came from.
-- One sort: the records of a cluster get a position p by the entity's trust order. An attribute with an order of its
-- own takes the least of (its rank, p), so none needs a sort of its own. Nothing above the sort may be a CTE that is read
-- twice or a correlated subquery: PostgreSQL would then read and sort on one core.
with member as (
    select x.employee_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at
        , case when 'hr_number' = any (d.disowned) then null else m.hr_number end as hr_number
        , m.employee_number
        , case when 'email' = any (d.disowned) then null else m.email end as email
        , m.first_name
        , m.last_name
        , m.phone
        , m.pesel
        , m.born_on
        , m.department
        , m.job_title
        , m.location
        , m.manager_record
        , m.hired_on
        , m.left_on
        , m.status
        , m.salary
        , m.salary_currency
        , m.salary_period
        , m.last_changed
    from {{ ref('employee__candidate_crosswalk') }} as x
    join {{ ref('hr__employee') }} as m on m._record collate "C" = x.record
    left join (
        select member.record, strong.disowned
        from {{ ref('employee__strong') }} as strong join {{ ref('employee__member') }} as member using (n)
        where strong.torn and strong.disowned <> '{}'
    ) as d on d.record = x.record
    where x.system = 'hr'
),
ranked as (
    select *
        , row_number() over (
            partition by employee_id order by case system when 'hr' then 1 else 2 end, last_changed desc nulls last, record)::int as p
    from member
),
gathered as (
    select employee_id
        , (array_agg(system order by p))[1] as source_of_truth
        , array_agg(distinct system order by system) as _systems
        , array_agg(record order by p) as _members
        , array_agg(_load_id order by p) as _loads
        , array_agg(_mapping_version order by p) as _mapping_versions
        , array_agg(hr_number order by p) as _v_hr_number
        , min(p) filter (where hr_number is not null) as _w_hr_number
        , array_agg(employee_number order by p) as _v_employee_number
        , min(p) filter (where employee_number is not null) as _w_employee_number
        , array_agg(email order by p) as _v_email
        , min(p) filter (where email is not null) as _w_email
        , array_agg(first_name order by p) as _v_first_name
        , min(p) filter (where first_name is not null) as _w_first_name
        , array_agg(last_name order by p) as _v_last_name
        , min(p) filter (where last_name is not null) as _w_last_name
        , array_agg(phone order by p) as _v_phone
        , min(p) filter (where phone is not null) as _w_phone
        , array_agg(pesel order by p) as _v_pesel
        , min(p) filter (where pesel is not null) as _w_pesel
        , array_agg(born_on order by p) as _v_born_on
        , min(p) filter (where born_on is not null) as _w_born_on
        , array_agg(department order by p) as _v_department
        , min(p) filter (where department is not null) as _w_department
        , array_agg(job_title order by p) as _v_job_title
        , min(p) filter (where job_title is not null) as _w_job_title
        , array_agg(location order by p) as _v_location
        , min(p) filter (where location is not null) as _w_location
        , array_agg(manager_record order by p) as _v_manager_record
        , min(p) filter (where manager_record is not null) as _w_manager_record
        , array_agg(hired_on order by p) as _v_hired_on
        , min(p) filter (where hired_on is not null) as _w_hired_on
        , array_agg(left_on order by p) as _v_left_on
        , min(p) filter (where left_on is not null) as _w_left_on
        , array_agg(status order by p) as _v_status
        , min(p) filter (where status is not null) as _w_status
        , array_agg(salary order by p) as _v_salary
        , min(p) filter (where salary is not null) as _w_salary
        , array_agg(salary_currency order by p) as _v_salary_currency
        , min(p) filter (where salary_currency is not null) as _w_salary_currency
        , array_agg(salary_period order by p) as _v_salary_period
        , min(p) filter (where salary_period is not null) as _w_salary_period
        , array_agg(last_changed order by p) as _v_last_changed
        , min(p) filter (where last_changed is not null) as _w_last_changed
    from ranked
    group by employee_id
),
golden as (
    select employee_id
        , _v_hr_number[_w_hr_number] as hr_number
        , _v_employee_number[_w_employee_number] as employee_number
        , _v_email[_w_email] as email
        , _v_first_name[_w_first_name] as first_name
        , _v_last_name[_w_last_name] as last_name
        , _v_phone[_w_phone] as phone
        , _v_pesel[_w_pesel] as pesel
        , _v_born_on[_w_born_on] as born_on
        , _v_department[_w_department] as department
        , _v_job_title[_w_job_title] as job_title
        , _v_location[_w_location] as location
        , _v_manager_record[_w_manager_record] as manager_record
        , _v_hired_on[_w_hired_on] as hired_on
        , _v_left_on[_w_left_on] as left_on
        , _v_status[_w_status] as status
        , _v_salary[_w_salary] as salary
        , _v_salary_currency[_w_salary_currency] as salary_currency
        , _v_salary_period[_w_salary_period] as salary_period
        , _v_last_changed[_w_last_changed] as last_changed
        , source_of_truth, _systems, cardinality(_members) as _records
        -- Where each attribute came from: its record's place among the members. conformed.provenance() spells it out.
        , _members, _loads, _mapping_versions
        , array[_w_hr_number, _w_employee_number, _w_email, _w_first_name, _w_last_name, _w_phone, _w_pesel, _w_born_on, _w_department, _w_job_title, _w_location, _w_manager_record, _w_hired_on, _w_left_on, _w_status, _w_salary, _w_salary_currency, _w_salary_period, _w_last_changed]::int[] as _given
        -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
        , md5(row(_members
            , _v_hr_number[_w_hr_number], _w_hr_number
            , _v_employee_number[_w_employee_number], _w_employee_number
            , _v_email[_w_email], _w_email
            , _v_first_name[_w_first_name], _w_first_name
            , _v_last_name[_w_last_name], _w_last_name
            , _v_phone[_w_phone], _w_phone
            , _v_pesel[_w_pesel], _w_pesel
            , _v_born_on[_w_born_on], _w_born_on
            , _v_department[_w_department], _w_department
            , _v_job_title[_w_job_title], _w_job_title
            , _v_location[_w_location], _w_location
            , _v_manager_record[_w_manager_record], _w_manager_record
            , _v_hired_on[_w_hired_on], _w_hired_on
            , _v_left_on[_w_left_on], _w_left_on
            , _v_status[_w_status], _w_status
            , _v_salary[_w_salary], _w_salary
            , _v_salary_currency[_w_salary_currency], _w_salary_currency
            , _v_salary_period[_w_salary_period], _w_salary_period
            , extract(epoch from _v_last_changed[_w_last_changed]), _w_last_changed
        )::text) as _hash
    from gathered
)
select golden.*
    , case when live._hash is null then 'new' when live._hash <> golden._hash then 'changed' end as _change
from golden
left join conformed.employee_version as live
    on live.employee_id = golden.employee_id and live._ended_publish_id is null
