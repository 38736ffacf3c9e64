-- Adds invoice.amount_due, adds invoice.contract_currency, adds invoice.correction_reason, adds invoice.corrects_ksef_number, adds invoice.customer_country, adds invoice.customer_eu_vat, adds invoice.customer_name, adds invoice.customer_other_country, adds invoice.customer_other_id, adds invoice.document_type, adds invoice.exchange_rate, adds invoice.factor_account, adds invoice.factor_name, adds invoice.factor_tax_id, adds invoice.last_due_on, adds invoice.margin_sales_amount, adds invoice.margin_scheme, adds invoice.other_buyer_name, adds invoice.other_buyer_tax_id, adds invoice.payer_name, adds invoice.payer_tax_id, adds invoice.payment_method, adds invoice.payment_terms, adds invoice.prepaid_amount, adds invoice.prepaid_on, adds invoice.recipient_name, adds invoice.recipient_tax_id, adds invoice.seller_account, adds invoice.seller_tax_id, adds invoice.sold_on, adds invoice.split_payment, adds invoice.third_parties, adds invoice.vat_amount_pln, adds invoice_line.correction_state, adds invoice_line.exchange_rate, adds invoice_line.gross_amount, adds invoice_line.line_kind, adds invoice_line.ordered_net_amount, adds invoice_line.ordered_quantity, adds invoice_line.unit_price_gross, adds purchase_invoice, adds purchase_invoice_line. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table conformed.invoice_version add column if not exists amount_due numeric;

alter table conformed.invoice_version add column if not exists contract_currency text;

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

alter table conformed.invoice_line_version add column if not exists correction_state text;

alter table conformed.invoice_line_version add column if not exists exchange_rate numeric;

alter table conformed.invoice_line_version add column if not exists gross_amount numeric;

alter table conformed.invoice_line_version add column if not exists line_kind text;

alter table conformed.invoice_line_version add column if not exists ordered_net_amount numeric;

alter table conformed.invoice_line_version add column if not exists ordered_quantity numeric;

alter table conformed.invoice_line_version add column if not exists unit_price_gross numeric;

create table if not exists mapped.purchase_invoice__identifier (
    record text collate "C" not null,
    _load_id bigint not null,
    ksef_number text,
    document_key text
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
    document_key text,
    invoice_number text,
    ksef_number text,
    kind text,
    document_type text,
    supplier_tax_id text,
    supplier_name text,
    supplier_record text,
    corrects_invoice text,
    corrects_ksef_number text,
    correction_reason text,
    order_number text,
    description text,
    account text,
    cost_center text,
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
    currency text
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
