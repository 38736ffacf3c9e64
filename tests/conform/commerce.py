"""What the world sends of payments, orders and invoices: the records by stream and key."""

from __future__ import annotations

Payload = dict[str, object]
NIP_A, NIP_B, OUR_NIP, OTHER_NIP = "5272889007", "5220003782", "5252248481", "7740001454"


def _charge(key: str, currency: str, amount: int, **more: object) -> Payload:
    return {
        "id": key, "created": 1767225600, "amount": amount, "amount_captured": amount, "amount_refunded": 0,
        "currency": currency, "status": "succeeded", "captured": True, "refunded": False,
        "metadata": {"invoice": f"FV/{key}"}, "payment_method_details": {"type": "card"},
    } | more  # fmt: skip


OLD = _charge("ch_old", "pln", 12_300)  # as it was read 60 days ago
OLD_NOW = OLD | {"amount_refunded": 4_500}
CHARGES = (
    OLD,
    *(
        _charge(f"ch_{currency}", currency, amount)
        for currency, amount in (("isk", 500), ("ugx", 100_000), ("mga", 5_000), ("kwd", 5_120))
    ),
    _charge("ch_authorised", "pln", 9_900, captured=False, amount_captured=0),
    _charge("ch_released", "pln", 9_900, captured=False, amount_captured=0, refunded=True, amount_refunded=9_900),
    _charge("ch_returned", "pln", 700, refunded=True, amount_refunded=700),
)
REFUNDS: tuple[Payload, ...] = (
    {
        "id": "re_1",
        "created": 1772409600,
        "amount": 3_000,
        "currency": "pln",
        "status": "succeeded",
        "charge": OLD | {"amount_refunded": 3_000},
    },
    {"id": "re_2", "created": 1772409700, "amount": 1_500, "currency": "pln", "status": "succeeded", "charge": OLD_NOW},
    {"id": "re_3", "created": 1772409700, "amount": 200, "currency": "isk", "status": None, "charge": "ch_isk"},
)


def _faktura(number: int, numer: str, nip: str, order: str, gross: int, rodzaj: str = "FV") -> Payload:
    return {
        "id_faktury": number,
        "numer": numer,
        "rodzaj": rodzaj,
        "nr_zamowienia": order,
        "id_klienta": None,
        "numer_korygowanej": "OK/1" if rodzaj == "KOR" else None,
        "nip_nabywcy": nip,
        "data_wystawienia": "2026-02-01",
        "termin_platnosci": "2026-02-15",
        "waluta": "PLN",
        "kwota_netto": gross,
        "kwota_vat": 0,
        "kwota_brutto": gross,
    }


def _jpk(number: str, seller: str, gross: int) -> Payload:
    return {
        "P_2A": number,
        "P_1": "2026-02-01",
        "P_4B": seller,
        "P_5B": NIP_A,
        "P_15": gross,
        "P_13_1": gross,
        "P_14_1": 0,
        "KodWaluty": "PLN",
        "RodzajFaktury": "VAT",
    }


def _order(key: str, account: str, number: str, po_number: str | None) -> Payload:
    return {
        "Id": key,
        "OrderNumber": number,
        "AccountId": account,
        "PoNumber": po_number,
        "EffectiveDate": "2026-01-15",
        "Status": "Activated",
        "TotalAmount": 100,
        "CurrencyIsoCode": "PLN",
        "SystemModstamp": "2026-01-15T10:00:00.000+0000",
    }


def _account(key: str, name: str, nip: str) -> Payload:
    return {
        "Id": key,
        "Name": name,
        "NIP__c": nip,
        "Status__c": "Active",
        "BillingCountry": "Poland",
        "SystemModstamp": "2026-01-15T10:00:00.000+0000",
    }


def _money(amount: str) -> Payload:
    return {"shopMoney": {"amount": amount, "currencyCode": "PLN"}}


def _taxes(*amounts: str) -> list[Payload]:
    return [{"ratePercentage": 23, "priceSet": _money(amount)} for amount in amounts]


def _bought(key: str, subtotal: str, tax: str, *shipping_taxes: str, included: bool | None) -> Payload:
    return {
        "id": key,
        "name": f"#{key}",
        "processedAt": "2026-01-15T10:00:00Z",
        "updatedAt": "2026-01-15T10:00:00Z",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "currencyCode": "PLN",
        "taxesIncluded": included,
        "subtotalPriceSet": _money(subtotal),
        "totalTaxSet": _money(tax),
        "shippingLine": {"taxLines": _taxes(*shipping_taxes)} if shipping_taxes else None,
    }


def _line(key: str, total: str, discounts: tuple[str, ...], *taxes: str, included: bool) -> Payload:
    return {
        "id": key,
        "quantity": 2,
        "originalTotalSet": _money(total),
        "taxLines": _taxes(*taxes),
        "discountAllocations": [{"allocatedAmountSet": _money(each)} for each in discounts],
        "parent": {"id": "o1", "taxesIncluded": included},
    }


BOUGHT = (
    _bought("o1", "221.40", "41.40", included=True),
    _bought("o2", "221.40", "43.70", "2.30", included=True),
    _bought("o3", "180.0", "43.70", "2.30", included=False),
    _bought("o4", "99.99", "0.0", included=True),
)
BOUGHT_LINES = (
    _line("l1", "246.00", ("24.60",), "41.40", included=True),
    _line("l2", "300.0", ("10.0", "5.0"), "20.50", "9.25", included=True),
    _line("l3", "246.00", ("24.60",), "50.92", included=False),
    _line("l4", "7.77", (), included=True),
)


RECORDS: dict[str, dict[str, Payload]] = {
    "stripe.charge": {str(each["id"]): each for each in CHARGES},
    "stripe.refund": {str(each["id"]): each for each in REFUNDS},
    "salesforce.account": {
        "001A": _account("001A", "Alfa Sp. z o.o.", NIP_A),
        "001B": _account("001B", "Beta S.A.", NIP_B),
    },
    "salesforce.order": {
        "801A": _order("801A", "001A", "00000101", "1/2026"),
        "801B": _order("801B", "001B", "00000102", "1/2026"),
        "801C": _order("801C", "001B", "00000103", None),
    },
    "sap.business_partner": {
        "1000021": {
            "BusinessPartner": "1000021",
            "BusinessPartnerCategory": "1",
            "FirstName": "EWA",
            "LastName": "NOWAK",
            "OrganizationBPName1": "",
            "OrganizationBPName2": "",
            "LastChangeDate": None,
            "LastChangeTime": "PT00H00M00S",
        },
    },
    "sap.sales_order": {
        "17": {
            "SalesOrder": "17",
            "SoldToParty": "1000021",
            "PurchaseOrderByCustomer": "",
            "SalesOrderDate": "/Date(1492041600000)/",
            "OverallSDDocumentRejectionSts": "A",
            "OverallSDProcessStatus": "A",
            "OverallTotalDeliveryStatus": "A",
            "TotalNetAmount": "5",
            "TransactionCurrency": "PLN",
            "LastChangeDateTime": "2026-01-15T10:00:00Z",
        },
    },
    "sap.sales_order_item": {
        '["17","10"]': {"SalesOrder": "17", "SalesOrderItem": "10", "RequestedQuantity": "2", "NetAmount": "5"}
    },
    "erp.zamowienie": {
        "17": {
            "id_zamowienia": 17,
            "numer": "ZAM/17",
            "id_klienta": 1,
            "data_zamowienia": "2026-01-15",
            "status": "nowe",
            "waluta": "PLN",
            "kwota_netto": 7,
            "data_modyfikacji": "2026-01-15T10:00:00",
        },
    },
    "erp.zamowienie_pozycja": {'["17","10"]': {"id_zamowienia": 17, "lp": 10, "ilosc": 3, "wartosc_netto": 7}},
    "erp.faktura": {
        "1": _faktura(1, "FV/A", NIP_A, "1/2026", 123),
        "2": _faktura(2, "FV/B", NIP_B, "1/2026", 246),
        "3": _faktura(3, "FV/C", NIP_B, "00000103", 369),
        "4": _faktura(4, "OK/1", NIP_B, "", 500),
        "5": _faktura(5, "OK/1", NIP_B, "", -100, "KOR"),
    },
    "accounting.jpk_invoice": {
        "OK/1": _jpk("OK/1", OUR_NIP, 500),
        "ours": _jpk("1/2026", OUR_NIP, 700),
        "theirs": _jpk("1/2026", OTHER_NIP, 300),
    },
    "accounting.account_entry": {
        str(number): {
            "nr_dowodu": "FV 1/2026",
            "nip_dostawcy": supplier,
            "konto": account,
            "data": "2026-02-01",
            "waluta": "PLN",
            "netto": net,
            "vat": "0",
            "brutto": net,
        }
        for number, (supplier, account, net) in enumerate(
            ((NIP_A, "401-01", "700"), (NIP_A, "402-01", "300"), (NIP_B, "401-01", "55.5"), (None, "401-01", "1"))
        )
    },
    "keycloak.user": {"k1": {"id": "k1", "username": "ewa", "email": "ewa@example.pl", "enabled": True}},
    "microsoft365.user": {
        "m1": {"id": "m1", "userPrincipalName": "ewa@example.pl", "mail": "ewa@example.pl", "accountEnabled": True},
        "m2": {"id": "m2", "userPrincipalName": "sala@example.pl", "mail": None, "accountEnabled": True},
        "m3": {"id": "m3", "userPrincipalName": "kiosk@example.pl", "mail": None, "accountEnabled": True},
    },
    "salesforce.product": {"01tA": {"Id": "01tA", "Name": "Usługa", "IsActive": True, "CurrencyIsoCode": "PLN"}},
    "shop.order": {str(each["id"]): each for each in BOUGHT},
    "shop.order_line": {f'["o1","{each["id"]}"]': each for each in BOUGHT_LINES},
    "shop.customer": {
        "gid://1": {
            "id": "gid://1",
            "displayName": "Jan Nowak",
            "firstName": "Jan",
            "lastName": "Nowak",
            "updatedAt": "2026-01-15T10:00:00Z",
        }
    },
}
