{#- Capitals, without blanks and the separators that people put into numbers. No regular expression: PostgreSQL keeps only 32
    compiled ones a session, and a mapped model that uses more of them compiles each anew for every row (ten times as slow). -#}
{%- macro compacted(value) -%}
translate(upper({{ value }}), E' \t\r\n\u00a0\u202f\u2010\u2011\u2012\u2013\u2014\u2015.:/()-', '')
{%- endmacro -%}
