{#- numeric: an amount as Stripe writes it, in the smallest unit of its currency, which is the second field. Stripe's own
    exponents (docs.stripe.com/currencies), not ISO 4217's: ISK and UGX have two places, MGA none. 1050 pln is 10.50, 1050 jpy
    is 1050, 1050 kwd is 1.050. Without a currency, not understood. -#}
{%- macro stripe_amount(value, currency) -%}
(select case when code is not null then trim_scale(amount / case
    when code in ('BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 1
    when code in ('BHD', 'JOD', 'KWD', 'OMR', 'TND') then 1000 else 100 end) end
 from (select {{ numeric(value) }} as amount, {{ currency_iso4217(currency) }} as code offset 0) as minor)
{%- endmacro -%}
