{#- numeric: an order line's amount without tax: its price times quantity, less the discounts allocated to it, less the taxes in
    it where prices include them. The fields: the total before discounts; Shopify's discountAllocations and taxLines, which are
    lists; its taxesIncluded. NULL where there is a tax and nobody says whether it is included. -#}
{%- macro shop_line_net(value, discounts, taxes, included) -%}
(select total - discount - case when included then tax when included is false or tax = 0 then 0 end
 from (select {{ numeric(value) }} as total, {{ amounts_in(discounts, '$[*].allocatedAmountSet.shopMoney.amount') }} as discount
        , {{ amounts_in(taxes, '$[*].priceSet.shopMoney.amount') }} as tax, {{ boolean(included) }} as included offset 0) as line)
{%- endmacro -%}
