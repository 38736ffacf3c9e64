-- generated from catalog/entities/employee.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['employee']) }}

-- The records that came or went with this publish's loads.
{{ changed_records('employee',
    systems=['hr'],
    streams=['hr.employee', 'hr.pay']) }}
