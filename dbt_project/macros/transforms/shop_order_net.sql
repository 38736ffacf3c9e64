{#- numeric: the sum of an order's lines without tax: the subtotal, less the taxes that are in it where prices include them. The
    fields: Shopify's subtotal (after discounts, without shipping), its total of all taxes, the taxLines of the shipping, which
    are not in the subtotal, and taxesIncluded. NULL where there is a tax and nobody says whether it is included. -#}
{%- macro shop_order_net(value, tax, shipping_taxes, included) -%}
(select subtotal - case when included then tax - shipping when included is false or tax = 0 then 0 end
 from (select {{ numeric(value) }} as subtotal, coalesce({{ numeric(tax) }}, 0) as tax
        , {{ amounts_in(shipping_taxes, '$[*].priceSet.shopMoney.amount') }} as shipping, {{ boolean(included) }} as included
       offset 0) as bought)
{%- endmacro -%}
