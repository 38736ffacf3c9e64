{#- dbt writes into exactly the schemas that the folders name: no prefix of a developer's or a target's. -#}
{%- macro generate_schema_name(custom_schema_name, node) -%}
{{ custom_schema_name or target.schema }}
{%- endmacro -%}
