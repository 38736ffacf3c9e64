{#- Whether an ISO text is of a day whose moments are within the years 1 to 9999 on every clock of the world: clients cannot hold
    others, and fail with them for a whole result. 9999-12-31T23:59:59 is how some systems say never. -#}
{%- macro within_calendar(iso) -%}
left({{ iso }}, 10) collate "C" between '0001-01-02' and '9999-12-30'
{%- endmacro -%}
