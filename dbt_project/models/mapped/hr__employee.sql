-- generated from catalog/entities/employee.yaml, catalog/systems/hr.yaml; do not edit (bin/onefold generate)
{{ config(tags=['employee']) }}
{{ config(indexes=[{'columns': ['_record'], 'unique': true}, {'columns': ['_load_id']}]) }}

with employee_records as (
    {{ records_to_map('employee', 'hr', 'employee') }}
),
pay_records as (
    {{ records_to_map('employee', 'hr', 'pay') }}
)

select
    'hr|employee|' || _key as _record,
    'hr'::text as _system,
    'employee'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'employeeId')") }} as hr_number,
    {{ text("(_payload ->> 'employeeNumber')") }} as employee_number,
    {{ email("(_payload ->> 'workEmail')") }} as email,
    {{ person_name("(_payload ->> 'firstName')") }} as first_name,
    {{ person_name("(_payload ->> 'lastName')") }} as last_name,
    {{ phone_e164("(_payload ->> 'mobilePhone')") }} as phone,
    {{ pesel("(_payload ->> 'customPESEL')") }} as pesel,
    {{ date_iso("(_payload ->> 'dateOfBirth')") }} as born_on,
    {{ text("(_payload ->> 'department')") }} as department,
    {{ text("(_payload ->> 'jobTitleName')") }} as job_title,
    {{ text("(_payload ->> 'location')") }} as location,
    'hr|employee|' || {{ text("(_payload ->> 'reportsTo')") }} as manager_record,
    {{ date_iso("(_payload ->> 'hireDate')") }} as hired_on,
    {{ date_iso("nullif(btrim((_payload ->> 'terminationDate')), '0000-00-00')") }} as left_on,
    {{ code("(_payload ->> 'status')", {"Active": "active", "Inactive": "inactive"}) }} as status,
    null::numeric as salary,
    null::text as salary_currency,
    null::text as salary_period,
    null::timestamptz as last_changed
from employee_records

union all

select
    'hr|pay|' || _key as _record,
    'hr'::text as _system,
    'pay'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    1::int as _mapping_version,
    {{ text("(_payload ->> 'employeeId')") }} as hr_number,
    null::text as employee_number,
    null::text as email,
    null::text as first_name,
    null::text as last_name,
    null::text as phone,
    null::text as pesel,
    null::date as born_on,
    null::text as department,
    null::text as job_title,
    null::text as location,
    null::text as manager_record,
    null::date as hired_on,
    null::date as left_on,
    null::text as status,
    {{ numeric("(_payload #>> '{rate,value}')") }} as salary,
    {{ currency_iso4217("(_payload #>> '{rate,currency}')") }} as salary_currency,
    {{ text("(_payload ->> 'paidPer')") }} as salary_period,
    {{ timestamp_utc("(_payload ->> 'startDate')") }} as last_changed
from pay_records
