"""Which of the faults that the world has on purpose cost a record only one value, and which the whole record."""

from __future__ import annotations

from collections.abc import Mapping

ONE_VALUE: Mapping[str, tuple[str, ...]] = {
    "accounting.account_entry": ("formula_in_text", "net_malformed", "amount_missing"),
    "accounting.bank_line": ("date_impossible",),
    "accounting.jpk_invoice": ("total_malformed",),
    "anthropic.cost": ("amount_not_a_number",),
    "anthropic.usage": ("tokens_negative", "tokens_not_a_number"),
    "crbr.beneficiary": ("surname_missing", "pesel_short", "share_negative"),
    "epuap.document": ("sender_missing",),
    "erp.dostawca": ("name_missing", "payment_term_negative"),
    "erp.klient": ("name_missing", "credit_limit_negative"),
    "erp.faktura": ("due_in_year_20260",),
    "erp.towar": ("price_negative", "price_not_a_number"),
    "erp.zamowienie": ("status_unknown", "currency_malformed"),
    "erp.zamowienie_pozycja": ("quantity_zero", "vat_rate_unknown"),
    "hr.employee": ("last_name_missing", "birth_date_impossible", "pesel_malformed"),
    "hr.pay": ("rate_not_a_number",),
    "keycloak.user": ("enabled_not_a_boolean",),
    "krs.extract": ("name_missing", "date_impossible"),
    "ksef.invoice": ("amount_not_a_number",),
    "microsoft365.calendar_event": ("organizer_missing",),
    "microsoft365.document": ("name_missing", "size_negative"),
    "microsoft365.message": ("received_impossible", "sender_missing"),
    "microsoft365.user": ("display_name_missing",),
    "nbp.rate": ("currency_missing",),
    "openai.cost": ("amount_not_a_number",),
    "openai.usage": ("tokens_negative", "tokens_not_a_number"),
    "regon.entity": ("name_missing", "postal_code_malformed"),
    "salesforce.account": (
        "name_missing",
        "credit_limit_not_a_number",
        "status_unknown",
        "country_unknown",
        "phone_unreadable",
    ),
    "salesforce.contact": ("name_missing", "email_malformed"),
    "salesforce.order": ("status_unknown",),
    "salesforce.order_item": ("quantity_zero", "price_missing"),
    "salesforce.product": ("name_missing",),
    "sap.business_partner": ("country_unknown",),
    "sap.sales_order": ("currency_unknown", "amount_not_a_number"),
    "sap.sales_order_item": ("quantity_negative", "material_missing"),
    "sap_idoc.material": ("name_missing", "unit_unknown"),
    "sap_v4.product": ("unit_unknown",),
    "shop.customer": ("email_malformed", "name_missing"),
    "shop.order": ("name_missing", "total_negative"),
    "shop.order_line": ("quantity_zero", "title_missing"),
    "shop.product": ("title_missing",),
    "stripe.charge": ("amount_negative",),
    "vies.number": ("name_empty", "address_empty"),
    "white_list.subject": ("name_missing", "status_unknown", "account_missing"),
}
"""By system.stream. The other faults are in keys, cursors, identifiers, essential attributes, or in several fields."""


def told_apart(record: Mapping[str, object]) -> dict[str, object]:
    """The truth of a record with its fault as `withheld`, where it costs only that value; else as `broken`."""
    fault = record["broken"]
    costs_one_value = fault in ONE_VALUE.get(f"{record['system']}.{record['stream']}", ())
    return {
        **record,
        "broken": None if costs_one_value else fault,
        "withheld": fault if costs_one_value else None,
    }
