-- Where the CRM (Salesforce) and the ERP say different things of the same customer, attribute by attribute. Compared is what
-- the mapping makes of both, so that spelling does not count; what one of them does not say is no difference. The records
-- are those of the newest loads, which may be newer than what is published.
with said as (
{% for system in ('salesforce', 'erp') %}
    select x.customer_id, x.system, x.record, m.legal_name, jsonb_build_object('legal_name', m.legal_name
        , 'tax_id_pl', m.tax_id_pl, 'regon', m.regon, 'postal_code', m.postal_code, 'city', m.city, 'country', m.country
        , 'status', m.status, 'credit_limit', m.credit_limit, 'credit_limit_currency', m.credit_limit_currency) as attributes
    from {{ source('conformed', 'customer_crosswalk') }} as x
    join {{ ref(system ~ '__customer') }} as m on m._record = x.record and not m._deleted
{% if not loop.last %}
    union all
{% endif %}
{% endfor %}
)
select crm.customer_id, attribute, crm.record as crm_record, erp.record as erp_record
    , {{ unless_person('crm.attributes ->> attribute', 'crm.legal_name', 'c.krs') }} as crm_value
    , {{ unless_person('erp.attributes ->> attribute', 'erp.legal_name', 'c.krs') }} as erp_value
from said as crm join said as erp on erp.customer_id = crm.customer_id and erp.system = 'erp'
cross join lateral jsonb_object_keys(crm.attributes) as attribute
join {{ source('conformed', 'customer_unmasked') }} as c on c.customer_id = crm.customer_id
where crm.system = 'salesforce' and crm.attributes -> attribute <> erp.attributes -> attribute
    and crm.attributes ->> attribute is not null and erp.attributes ->> attribute is not null
