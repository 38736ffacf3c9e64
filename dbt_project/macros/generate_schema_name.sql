{#- dbt writes into exactly the schemas that the folders name: no prefix of a developer's or a target's. Only a dry run
    has one: its shadow (plugins/onefold/conform/dry_run.py). -#}
{%- macro generate_schema_name(custom_schema_name, node) -%}
{{ var('shadow', '') }}{{ custom_schema_name or target.schema }}
{%- endmacro -%}
