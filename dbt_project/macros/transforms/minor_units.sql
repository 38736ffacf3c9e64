{#- numeric: an amount in the smallest unit of its currency (ISO 4217), which is the second field: 1050 PLN is 10.50, 1050 JPY
    is 1050. Without a currency, not understood. -#}
{%- macro minor_units(value, currency) -%}
(select case when code is not null then trim_scale(amount / case
    when code in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 1
    when code in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 1000 else 100 end) end
 from (select {{ numeric(value) }} as amount, {{ currency_iso4217(currency) }} as code offset 0) as minor)
{%- endmacro -%}
