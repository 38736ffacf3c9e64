-- Adds invoice.corrected_invoices, drops purchase_invoice.account, drops purchase_invoice.cost_center, drops purchase_invoice.description, drops purchase_invoice.document_key, adds purchase_invoice.corrected_invoices, adds purchase_invoice_line.account, adds purchase_invoice_line.booked_gross_amount, adds purchase_invoice_line.booked_net_amount, adds purchase_invoice_line.booked_on, adds purchase_invoice_line.booked_vat_amount, adds purchase_invoice_line.cost_center, adds purchase_invoice_line.supplier_tax_id. Written by bin/onefold generate; change it before it is applied, never after.
-- The views are made again by repeatable/5x_conformed__<entity>.sql, marts that read them by the next publish.

drop view if exists conformed.purchase_invoice cascade;
alter table conformed.invoice_version add column if not exists corrected_invoices integer;

alter table conformed.purchase_invoice_version drop column if exists account;

alter table conformed.purchase_invoice_version drop column if exists cost_center;

alter table conformed.purchase_invoice_version drop column if exists description;

alter table conformed.purchase_invoice_version drop column if exists document_key;

alter table conformed.purchase_invoice_version add column if not exists corrected_invoices integer;

alter table conformed.purchase_invoice_line_version add column if not exists account text;

alter table conformed.purchase_invoice_line_version add column if not exists booked_gross_amount numeric;

alter table conformed.purchase_invoice_line_version add column if not exists booked_net_amount numeric;

alter table conformed.purchase_invoice_line_version add column if not exists booked_on date;

alter table conformed.purchase_invoice_line_version add column if not exists booked_vat_amount numeric;

alter table conformed.purchase_invoice_line_version add column if not exists cost_center text;

alter table conformed.purchase_invoice_line_version add column if not exists supplier_tax_id text;
