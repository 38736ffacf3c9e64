-- No longer recognises purchase_invoice by document_key, recognises purchase_invoice by supplier_tax_id__invoice_number__kind. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

alter table mapped.purchase_invoice__identifier drop column if exists document_key;

alter table mapped.purchase_invoice__identifier add column if not exists supplier_tax_id__invoice_number__kind text;
create index if not exists purchase_invoice__identifier_by_supplier_tax_id__invoice_number__kind
    on mapped.purchase_invoice__identifier (supplier_tax_id__invoice_number__kind) where supplier_tax_id__invoice_number__kind is not null;
