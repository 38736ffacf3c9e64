-- Adds customer.person_name, recognises identity by system__username, no longer recognises invoice by invoice_number, recognises invoice by invoice_number__kind, recognises invoice by seller_tax_id__invoice_number__kind, adds order.customer_order_number, adds order.order_key, no longer recognises order by order_number, recognises order by system__order_key, no longer recognises order_line by line_key, recognises order_line by system__line_key. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table conformed.customer_version add column if not exists person_name text;

alter table mapped.identity__identifier add column if not exists system__username text;
create index if not exists identity__identifier_by_system__username
    on mapped.identity__identifier (system__username) where system__username is not null;

alter table mapped.invoice__identifier drop column if exists invoice_number;

alter table mapped.invoice__identifier add column if not exists invoice_number__kind text;
create index if not exists invoice__identifier_by_invoice_number__kind
    on mapped.invoice__identifier (invoice_number__kind) where invoice_number__kind is not null;

alter table mapped.invoice__identifier add column if not exists seller_tax_id__invoice_number__kind text;
create index if not exists invoice__identifier_by_seller_tax_id__invoice_number__kind
    on mapped.invoice__identifier (seller_tax_id__invoice_number__kind) where seller_tax_id__invoice_number__kind is not null;

alter table conformed.order_version add column if not exists customer_order_number text;

alter table conformed.order_version add column if not exists order_key text;

alter table mapped.order__identifier drop column if exists order_number;

alter table mapped.order__identifier add column if not exists system__order_key text;
create index if not exists order__identifier_by_system__order_key
    on mapped.order__identifier (system__order_key) where system__order_key is not null;

alter table mapped.order_line__identifier drop column if exists line_key;

alter table mapped.order_line__identifier add column if not exists system__line_key text;
create index if not exists order_line__identifier_by_system__line_key
    on mapped.order_line__identifier (system__line_key) where system__line_key is not null;
