-- The tables of the entities as the catalogue had them when numbered migrations began.

-- beneficial_owner
create table if not exists mapped.beneficial_owner__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.beneficial_owner__identifier
    add column if not exists owner_key text;
alter table mapped.beneficial_owner__identifier owner to onefold_loader;
create table if not exists conformed.beneficial_owner_version (
    beneficial_owner_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.beneficial_owner_version
    add column if not exists owner_key text,
    add column if not exists company_krs text,
    add column if not exists company_tax_id text,
    add column if not exists first_name text,
    add column if not exists last_name text,
    add column if not exists group_name text,
    add column if not exists pesel text,
    add column if not exists born_on date,
    add column if not exists citizenship text,
    add column if not exists residence text,
    add column if not exists share numeric,
    add column if not exists share_unit text;
alter table conformed.beneficial_owner_version owner to onefold_loader;
create table if not exists conformed.beneficial_owner_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    beneficial_owner_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.beneficial_owner_crosswalk_version owner to onefold_loader;
create table if not exists conformed.beneficial_owner_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.beneficial_owner_origin owner to onefold_loader;

-- calendar_event
create table if not exists mapped.calendar_event__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.calendar_event__identifier
    add column if not exists event_key text;
alter table mapped.calendar_event__identifier owner to onefold_loader;
create table if not exists conformed.calendar_event_version (
    calendar_event_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.calendar_event_version
    add column if not exists event_key text,
    add column if not exists meeting_key text,
    add column if not exists subject text,
    add column if not exists organizer_email text,
    add column if not exists starts_at timestamptz,
    add column if not exists ends_at timestamptz,
    add column if not exists all_day boolean,
    add column if not exists cancelled boolean,
    add column if not exists online boolean,
    add column if not exists last_changed timestamptz;
alter table conformed.calendar_event_version owner to onefold_loader;
create table if not exists conformed.calendar_event_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    calendar_event_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.calendar_event_crosswalk_version owner to onefold_loader;
create table if not exists conformed.calendar_event_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.calendar_event_origin owner to onefold_loader;

-- company
create table if not exists mapped.company__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.company__identifier
    add column if not exists tax_id_pl text,
    add column if not exists regon text,
    add column if not exists krs text,
    add column if not exists eu_vat text;
alter table mapped.company__identifier owner to onefold_loader;
create table if not exists conformed.company_version (
    company_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.company_version
    add column if not exists legal_name text,
    add column if not exists tax_id_pl text,
    add column if not exists regon text,
    add column if not exists krs text,
    add column if not exists eu_vat text,
    add column if not exists legal_form text,
    add column if not exists status text,
    add column if not exists vat_status text,
    add column if not exists eu_vat_valid boolean,
    add column if not exists bank_accounts text,
    add column if not exists registered_on date,
    add column if not exists vat_registered_on date,
    add column if not exists last_changed timestamptz;
alter table conformed.company_version owner to onefold_loader;
create table if not exists conformed.company_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    company_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.company_crosswalk_version owner to onefold_loader;
create table if not exists conformed.company_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.company_origin owner to onefold_loader;

-- customer
create table if not exists mapped.customer__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.customer__identifier
    add column if not exists tax_id_pl text,
    add column if not exists regon text,
    add column if not exists krs text,
    add column if not exists cautious_key text,
    add column if not exists cut_key text,
    add column if not exists name_key text,
    add column if not exists cut boolean;
alter table mapped.customer__identifier owner to onefold_loader;
create table if not exists conformed.customer_version (
    customer_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.customer_version
    add column if not exists legal_name text,
    add column if not exists tax_id_pl text,
    add column if not exists regon text,
    add column if not exists krs text,
    add column if not exists eu_vat text,
    add column if not exists email text,
    add column if not exists phone text,
    add column if not exists street text,
    add column if not exists postal_code text,
    add column if not exists city text,
    add column if not exists country text,
    add column if not exists status text,
    add column if not exists credit_limit numeric,
    add column if not exists credit_limit_currency text,
    add column if not exists registered_on date,
    add column if not exists last_changed timestamptz;
alter table conformed.customer_version owner to onefold_loader;
create table if not exists conformed.customer_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    customer_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.customer_crosswalk_version owner to onefold_loader;
create table if not exists conformed.customer_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.customer_origin owner to onefold_loader;

-- document
create table if not exists mapped.document__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.document__identifier
    add column if not exists document_key text;
alter table mapped.document__identifier owner to onefold_loader;
create table if not exists conformed.document_version (
    document_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.document_version
    add column if not exists document_key text,
    add column if not exists name text,
    add column if not exists folder text,
    add column if not exists mime_type text,
    add column if not exists size_bytes numeric,
    add column if not exists modified_by text,
    add column if not exists created_at timestamptz,
    add column if not exists last_changed timestamptz;
alter table conformed.document_version owner to onefold_loader;
create table if not exists conformed.document_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    document_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.document_crosswalk_version owner to onefold_loader;
create table if not exists conformed.document_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.document_origin owner to onefold_loader;

-- employee
create table if not exists mapped.employee__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.employee__identifier
    add column if not exists hr_number text,
    add column if not exists email text;
alter table mapped.employee__identifier owner to onefold_loader;
create table if not exists conformed.employee_version (
    employee_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.employee_version
    add column if not exists hr_number text,
    add column if not exists employee_number text,
    add column if not exists email text,
    add column if not exists first_name text,
    add column if not exists last_name text,
    add column if not exists phone text,
    add column if not exists pesel text,
    add column if not exists born_on date,
    add column if not exists department text,
    add column if not exists job_title text,
    add column if not exists location text,
    add column if not exists manager_record text,
    add column if not exists hired_on date,
    add column if not exists left_on date,
    add column if not exists status text,
    add column if not exists salary numeric,
    add column if not exists salary_currency text,
    add column if not exists salary_period text,
    add column if not exists last_changed timestamptz;
alter table conformed.employee_version owner to onefold_loader;
create table if not exists conformed.employee_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    employee_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.employee_crosswalk_version owner to onefold_loader;
create table if not exists conformed.employee_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.employee_origin owner to onefold_loader;

-- exchange_rate
create table if not exists mapped.exchange_rate__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.exchange_rate__identifier
    add column if not exists rate_key text;
alter table mapped.exchange_rate__identifier owner to onefold_loader;
create table if not exists conformed.exchange_rate_version (
    exchange_rate_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.exchange_rate_version
    add column if not exists rate_key text,
    add column if not exists rate_table text,
    add column if not exists currency text,
    add column if not exists effective_on date,
    add column if not exists rate numeric;
alter table conformed.exchange_rate_version owner to onefold_loader;
create table if not exists conformed.exchange_rate_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    exchange_rate_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.exchange_rate_crosswalk_version owner to onefold_loader;
create table if not exists conformed.exchange_rate_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.exchange_rate_origin owner to onefold_loader;

-- identity
create table if not exists mapped.identity__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.identity__identifier
    add column if not exists email text;
alter table mapped.identity__identifier owner to onefold_loader;
create table if not exists conformed.identity_version (
    identity_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.identity_version
    add column if not exists email text,
    add column if not exists username text,
    add column if not exists first_name text,
    add column if not exists last_name text,
    add column if not exists enabled boolean;
alter table conformed.identity_version owner to onefold_loader;
create table if not exists conformed.identity_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    identity_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.identity_crosswalk_version owner to onefold_loader;
create table if not exists conformed.identity_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.identity_origin owner to onefold_loader;

-- llm_usage
create table if not exists mapped.llm_usage__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.llm_usage__identifier
    add column if not exists usage_key text;
alter table mapped.llm_usage__identifier owner to onefold_loader;
create table if not exists conformed.llm_usage_version (
    llm_usage_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.llm_usage_version
    add column if not exists usage_key text,
    add column if not exists provider text,
    add column if not exists project text,
    add column if not exists model text,
    add column if not exists item text,
    add column if not exists used_on date,
    add column if not exists input_tokens numeric,
    add column if not exists cached_input_tokens numeric,
    add column if not exists output_tokens numeric,
    add column if not exists requests numeric,
    add column if not exists cost numeric,
    add column if not exists cost_currency text;
alter table conformed.llm_usage_version owner to onefold_loader;
create table if not exists conformed.llm_usage_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    llm_usage_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.llm_usage_crosswalk_version owner to onefold_loader;
create table if not exists conformed.llm_usage_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.llm_usage_origin owner to onefold_loader;

-- message
create table if not exists mapped.message__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.message__identifier
    add column if not exists message_key text;
alter table mapped.message__identifier owner to onefold_loader;
create table if not exists conformed.message_version (
    message_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.message_version
    add column if not exists message_key text,
    add column if not exists channel text,
    add column if not exists internet_message_id text,
    add column if not exists subject text,
    add column if not exists sender text,
    add column if not exists received_at timestamptz,
    add column if not exists has_attachments boolean;
alter table conformed.message_version owner to onefold_loader;
create table if not exists conformed.message_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    message_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.message_crosswalk_version owner to onefold_loader;
create table if not exists conformed.message_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.message_origin owner to onefold_loader;

-- payment
create table if not exists mapped.payment__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.payment__identifier
    add column if not exists payment_key text;
alter table mapped.payment__identifier owner to onefold_loader;
create table if not exists conformed.payment_version (
    payment_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.payment_version
    add column if not exists payment_key text,
    add column if not exists invoice_number text,
    add column if not exists paid_on date,
    add column if not exists amount numeric,
    add column if not exists refunded_amount numeric,
    add column if not exists currency text,
    add column if not exists method text,
    add column if not exists status text;
alter table conformed.payment_version owner to onefold_loader;
create table if not exists conformed.payment_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    payment_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.payment_crosswalk_version owner to onefold_loader;
create table if not exists conformed.payment_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.payment_origin owner to onefold_loader;

-- product
create table if not exists mapped.product__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.product__identifier
    add column if not exists sku text,
    add column if not exists ean text;
alter table mapped.product__identifier owner to onefold_loader;
create table if not exists conformed.product_version (
    product_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.product_version
    add column if not exists sku text,
    add column if not exists ean text,
    add column if not exists name text,
    add column if not exists unit text,
    add column if not exists net_price numeric,
    add column if not exists currency text,
    add column if not exists vat_rate numeric,
    add column if not exists active boolean,
    add column if not exists last_changed timestamptz;
alter table conformed.product_version owner to onefold_loader;
create table if not exists conformed.product_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    product_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.product_crosswalk_version owner to onefold_loader;
create table if not exists conformed.product_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.product_origin owner to onefold_loader;

-- supplier
create table if not exists mapped.supplier__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.supplier__identifier
    add column if not exists tax_id_pl text,
    add column if not exists regon text;
alter table mapped.supplier__identifier owner to onefold_loader;
create table if not exists conformed.supplier_version (
    supplier_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.supplier_version
    add column if not exists legal_name text,
    add column if not exists tax_id_pl text,
    add column if not exists regon text,
    add column if not exists email text,
    add column if not exists phone text,
    add column if not exists street text,
    add column if not exists postal_code text,
    add column if not exists city text,
    add column if not exists country text,
    add column if not exists iban text,
    add column if not exists currency text,
    add column if not exists status text,
    add column if not exists last_changed timestamptz;
alter table conformed.supplier_version owner to onefold_loader;
create table if not exists conformed.supplier_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    supplier_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.supplier_crosswalk_version owner to onefold_loader;
create table if not exists conformed.supplier_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.supplier_origin owner to onefold_loader;

-- contact
create table if not exists mapped.contact__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.contact__identifier
    add column if not exists contact_key text;
alter table mapped.contact__identifier owner to onefold_loader;
create table if not exists conformed.contact_version (
    contact_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.contact_version
    add column if not exists contact_key text,
    add column if not exists customer_record text,
    add column if not exists first_name text,
    add column if not exists last_name text,
    add column if not exists email text,
    add column if not exists phone text,
    add column if not exists mobile text,
    add column if not exists position text,
    add column if not exists last_changed timestamptz;
alter table conformed.contact_version owner to onefold_loader;
create table if not exists conformed.contact_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    contact_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.contact_crosswalk_version owner to onefold_loader;
create table if not exists conformed.contact_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.contact_origin owner to onefold_loader;

-- invoice
create table if not exists mapped.invoice__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.invoice__identifier
    add column if not exists invoice_number text,
    add column if not exists ksef_number text;
alter table mapped.invoice__identifier owner to onefold_loader;
create table if not exists conformed.invoice_version (
    invoice_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.invoice_version
    add column if not exists invoice_number text,
    add column if not exists ksef_number text,
    add column if not exists kind text,
    add column if not exists corrects_invoice text,
    add column if not exists order_number text,
    add column if not exists customer_tax_id text,
    add column if not exists customer_record text,
    add column if not exists issued_on date,
    add column if not exists due_on date,
    add column if not exists currency text,
    add column if not exists net_amount numeric,
    add column if not exists vat_amount numeric,
    add column if not exists gross_amount numeric,
    add column if not exists accepted_at timestamptz;
alter table conformed.invoice_version owner to onefold_loader;
create table if not exists conformed.invoice_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    invoice_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.invoice_crosswalk_version owner to onefold_loader;
create table if not exists conformed.invoice_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.invoice_origin owner to onefold_loader;

-- order
create table if not exists mapped.order__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.order__identifier
    add column if not exists order_number text;
alter table mapped.order__identifier owner to onefold_loader;
create table if not exists conformed.order_version (
    order_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.order_version
    add column if not exists order_number text,
    add column if not exists customer_record text,
    add column if not exists ordered_on date,
    add column if not exists status text,
    add column if not exists currency text,
    add column if not exists net_amount numeric,
    add column if not exists last_changed timestamptz;
alter table conformed.order_version owner to onefold_loader;
create table if not exists conformed.order_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    order_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.order_crosswalk_version owner to onefold_loader;
create table if not exists conformed.order_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.order_origin owner to onefold_loader;

-- invoice_line
create table if not exists mapped.invoice_line__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.invoice_line__identifier
    add column if not exists line_key text;
alter table mapped.invoice_line__identifier owner to onefold_loader;
create table if not exists conformed.invoice_line_version (
    invoice_line_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.invoice_line_version
    add column if not exists line_key text,
    add column if not exists invoice_number text,
    add column if not exists invoice_record text,
    add column if not exists line_number integer,
    add column if not exists sku text,
    add column if not exists description text,
    add column if not exists unit text,
    add column if not exists quantity numeric,
    add column if not exists unit_price numeric,
    add column if not exists net_amount numeric,
    add column if not exists vat_rate text,
    add column if not exists currency text;
alter table conformed.invoice_line_version owner to onefold_loader;
create table if not exists conformed.invoice_line_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    invoice_line_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.invoice_line_crosswalk_version owner to onefold_loader;
create table if not exists conformed.invoice_line_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.invoice_line_origin owner to onefold_loader;

-- order_line
create table if not exists mapped.order_line__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.order_line__identifier
    add column if not exists line_key text;
alter table mapped.order_line__identifier owner to onefold_loader;
create table if not exists conformed.order_line_version (
    order_line_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.order_line_version
    add column if not exists line_key text,
    add column if not exists order_record text,
    add column if not exists line_number text,
    add column if not exists sku text,
    add column if not exists quantity numeric,
    add column if not exists net_amount numeric,
    add column if not exists currency text;
alter table conformed.order_line_version owner to onefold_loader;
create table if not exists conformed.order_line_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    order_line_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);
alter table conformed.order_line_crosswalk_version owner to onefold_loader;
create table if not exists conformed.order_line_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
alter table conformed.order_line_origin owner to onefold_loader;
