-- Adds beneficial_owner.citizenships, adds beneficial_owner.direct_rights, adds beneficial_owner.indirect_rights, adds beneficial_owner.middle_names, adds beneficial_owner.other_rights, adds beneficial_owner.ownership_reasons, adds company.representation, adds company.represented_by, adds company.share_capital, adds company.share_capital_currency, adds company.tax_id_status, adds customer.person_name, adds employee_job, recognises identity by system__username, adds invoice.amount_due, adds invoice.contract_currency, adds invoice.corrected_invoices, adds invoice.correction_reason, adds invoice.corrects_ksef_number, adds invoice.customer_country, adds invoice.customer_eu_vat, adds invoice.customer_name, adds invoice.customer_other_country, adds invoice.customer_other_id, adds invoice.document_type, adds invoice.exchange_rate, adds invoice.factor_account, adds invoice.factor_name, adds invoice.factor_tax_id, adds invoice.last_due_on, adds invoice.margin_sales_amount, adds invoice.margin_scheme, adds invoice.other_buyer_name, adds invoice.other_buyer_tax_id, adds invoice.payer_name, adds invoice.payer_tax_id, adds invoice.payment_method, adds invoice.payment_terms, adds invoice.prepaid_amount, adds invoice.prepaid_on, adds invoice.recipient_name, adds invoice.recipient_tax_id, adds invoice.seller_account, adds invoice.seller_tax_id, adds invoice.sold_on, adds invoice.split_payment, adds invoice.third_parties, adds invoice.vat_amount_pln, no longer recognises invoice by invoice_number, recognises invoice by invoice_number__kind, recognises invoice by seller_tax_id__invoice_number__kind, adds invoice_line.correction_state, adds invoice_line.exchange_rate, adds invoice_line.gross_amount, adds invoice_line.line_kind, adds invoice_line.ordered_net_amount, adds invoice_line.ordered_quantity, adds invoice_line.unit_price_gross, adds order.customer_order_number, adds order.order_key, no longer recognises order by order_number, recognises order by system__order_key, no longer recognises order_line by line_key, recognises order_line by system__line_key, adds payment.authorised_amount, adds purchase_invoice, adds purchase_invoice_line, adds refund, adds supplier.eu_vat. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table conformed.beneficial_owner_version add column if not exists citizenships text;

alter table conformed.beneficial_owner_version add column if not exists direct_rights text;

alter table conformed.beneficial_owner_version add column if not exists indirect_rights text;

alter table conformed.beneficial_owner_version add column if not exists middle_names text;

alter table conformed.beneficial_owner_version add column if not exists other_rights text;

alter table conformed.beneficial_owner_version add column if not exists ownership_reasons text;

alter table conformed.company_version add column if not exists representation text;

alter table conformed.company_version add column if not exists represented_by text;

alter table conformed.company_version add column if not exists share_capital numeric;

alter table conformed.company_version add column if not exists share_capital_currency text;

alter table conformed.company_version add column if not exists tax_id_status text;

alter table conformed.customer_version add column if not exists person_name text;

create table if not exists mapped.employee_job__identifier (
    record text collate "C" not null,
    _load_id bigint not null,
    job_key text
);

create table if not exists conformed.employee_job_version (
    employee_job_id uuid not null,
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
    _merged_into uuid,
    job_key text,
    employee_record text,
    valid_from date,
    department text,
    division text,
    location text,
    job_title text,
    manager_name text
);

create table if not exists conformed.employee_job_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    employee_job_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists conformed.employee_job_provenance (
    _publish_id bigint primary key,
    attributes text[] not null,
    sources jsonb not null
);
alter table mapped.employee_job__identifier owner to onefold_loader;
alter table conformed.employee_job_version owner to onefold_loader;
alter table conformed.employee_job_crosswalk_version owner to onefold_loader;
alter table conformed.employee_job_provenance owner to onefold_loader;

alter table mapped.identity__identifier add column if not exists system__username text;
create index if not exists identity__identifier_by_system__username
    on mapped.identity__identifier (system__username) where system__username is not null;

alter table conformed.invoice_version add column if not exists amount_due numeric;

alter table conformed.invoice_version add column if not exists contract_currency text;

alter table conformed.invoice_version add column if not exists corrected_invoices integer;

alter table conformed.invoice_version add column if not exists correction_reason text;

alter table conformed.invoice_version add column if not exists corrects_ksef_number text;

alter table conformed.invoice_version add column if not exists customer_country text;

alter table conformed.invoice_version add column if not exists customer_eu_vat text;

alter table conformed.invoice_version add column if not exists customer_name text;

alter table conformed.invoice_version add column if not exists customer_other_country text;

alter table conformed.invoice_version add column if not exists customer_other_id text;

alter table conformed.invoice_version add column if not exists document_type text;

alter table conformed.invoice_version add column if not exists exchange_rate numeric;

alter table conformed.invoice_version add column if not exists factor_account text;

alter table conformed.invoice_version add column if not exists factor_name text;

alter table conformed.invoice_version add column if not exists factor_tax_id text;

alter table conformed.invoice_version add column if not exists last_due_on date;

alter table conformed.invoice_version add column if not exists margin_sales_amount numeric;

alter table conformed.invoice_version add column if not exists margin_scheme text;

alter table conformed.invoice_version add column if not exists other_buyer_name text;

alter table conformed.invoice_version add column if not exists other_buyer_tax_id text;

alter table conformed.invoice_version add column if not exists payer_name text;

alter table conformed.invoice_version add column if not exists payer_tax_id text;

alter table conformed.invoice_version add column if not exists payment_method text;

alter table conformed.invoice_version add column if not exists payment_terms text;

alter table conformed.invoice_version add column if not exists prepaid_amount numeric;

alter table conformed.invoice_version add column if not exists prepaid_on date;

alter table conformed.invoice_version add column if not exists recipient_name text;

alter table conformed.invoice_version add column if not exists recipient_tax_id text;

alter table conformed.invoice_version add column if not exists seller_account text;

alter table conformed.invoice_version add column if not exists seller_tax_id text;

alter table conformed.invoice_version add column if not exists sold_on date;

alter table conformed.invoice_version add column if not exists split_payment boolean;

alter table conformed.invoice_version add column if not exists third_parties integer;

alter table conformed.invoice_version add column if not exists vat_amount_pln numeric;

alter table mapped.invoice__identifier drop column if exists invoice_number;

alter table mapped.invoice__identifier add column if not exists invoice_number__kind text;
create index if not exists invoice__identifier_by_invoice_number__kind
    on mapped.invoice__identifier (invoice_number__kind) where invoice_number__kind is not null;

alter table mapped.invoice__identifier add column if not exists seller_tax_id__invoice_number__kind text;
create index if not exists invoice__identifier_by_seller_tax_id__invoice_number__kind
    on mapped.invoice__identifier (seller_tax_id__invoice_number__kind) where seller_tax_id__invoice_number__kind is not null;

alter table conformed.invoice_line_version add column if not exists correction_state text;

alter table conformed.invoice_line_version add column if not exists exchange_rate numeric;

alter table conformed.invoice_line_version add column if not exists gross_amount numeric;

alter table conformed.invoice_line_version add column if not exists line_kind text;

alter table conformed.invoice_line_version add column if not exists ordered_net_amount numeric;

alter table conformed.invoice_line_version add column if not exists ordered_quantity numeric;

alter table conformed.invoice_line_version add column if not exists unit_price_gross numeric;

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

alter table conformed.payment_version add column if not exists authorised_amount numeric;

create table if not exists mapped.purchase_invoice__identifier (
    record text collate "C" not null,
    _load_id bigint not null,
    ksef_number text,
    supplier_tax_id__invoice_number__kind text
);

create table if not exists conformed.purchase_invoice_version (
    purchase_invoice_id uuid not null,
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
    _merged_into uuid,
    invoice_number text,
    ksef_number text,
    kind text,
    document_type text,
    supplier_tax_id text,
    supplier_name text,
    supplier_record text,
    corrects_invoice text,
    corrects_ksef_number text,
    corrected_invoices integer,
    correction_reason text,
    order_number text,
    issued_on date,
    sold_on date,
    due_on date,
    last_due_on date,
    payment_terms text,
    currency text,
    net_amount numeric,
    vat_amount numeric,
    gross_amount numeric,
    vat_amount_pln numeric,
    exchange_rate numeric,
    amount_due numeric,
    prepaid_amount numeric,
    prepaid_on date,
    payment_method text,
    supplier_account text,
    factor_account text,
    margin_scheme text,
    margin_sales_amount numeric,
    split_payment boolean,
    contract_currency text,
    third_parties integer,
    factor_tax_id text,
    factor_name text,
    recipient_tax_id text,
    recipient_name text,
    payer_tax_id text,
    payer_name text,
    accepted_at timestamptz
);

create table if not exists conformed.purchase_invoice_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    purchase_invoice_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists conformed.purchase_invoice_provenance (
    _publish_id bigint primary key,
    attributes text[] not null,
    sources jsonb not null
);
alter table mapped.purchase_invoice__identifier owner to onefold_loader;
alter table conformed.purchase_invoice_version owner to onefold_loader;
alter table conformed.purchase_invoice_crosswalk_version owner to onefold_loader;
alter table conformed.purchase_invoice_provenance owner to onefold_loader;

create table if not exists mapped.purchase_invoice_line__identifier (
    record text collate "C" not null,
    _load_id bigint not null,
    line_key text
);

create table if not exists conformed.purchase_invoice_line_version (
    purchase_invoice_line_id uuid not null,
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
    _merged_into uuid,
    line_key text,
    invoice_number text,
    purchase_invoice_record text,
    line_number integer,
    line_kind text,
    correction_state text,
    sku text,
    description text,
    unit text,
    quantity numeric,
    unit_price numeric,
    unit_price_gross numeric,
    net_amount numeric,
    gross_amount numeric,
    ordered_quantity numeric,
    ordered_net_amount numeric,
    vat_rate text,
    exchange_rate numeric,
    currency text,
    supplier_tax_id text,
    booked_on date,
    account text,
    cost_center text,
    booked_net_amount numeric,
    booked_vat_amount numeric,
    booked_gross_amount numeric
);

create table if not exists conformed.purchase_invoice_line_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    purchase_invoice_line_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists conformed.purchase_invoice_line_provenance (
    _publish_id bigint primary key,
    attributes text[] not null,
    sources jsonb not null
);
alter table mapped.purchase_invoice_line__identifier owner to onefold_loader;
alter table conformed.purchase_invoice_line_version owner to onefold_loader;
alter table conformed.purchase_invoice_line_crosswalk_version owner to onefold_loader;
alter table conformed.purchase_invoice_line_provenance owner to onefold_loader;

create table if not exists mapped.refund__identifier (
    record text collate "C" not null,
    _load_id bigint not null,
    refund_key text
);

create table if not exists conformed.refund_version (
    refund_id uuid not null,
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
    _merged_into uuid,
    refund_key text,
    payment_record text,
    invoice_number text,
    refunded_on date,
    amount numeric,
    currency text,
    status text,
    reason text
);

create table if not exists conformed.refund_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    refund_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists conformed.refund_provenance (
    _publish_id bigint primary key,
    attributes text[] not null,
    sources jsonb not null
);
alter table mapped.refund__identifier owner to onefold_loader;
alter table conformed.refund_version owner to onefold_loader;
alter table conformed.refund_crosswalk_version owner to onefold_loader;
alter table conformed.refund_provenance owner to onefold_loader;

alter table conformed.supplier_version add column if not exists eu_vat text;
