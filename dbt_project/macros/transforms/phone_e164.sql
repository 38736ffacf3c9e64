{#- text: a telephone number as E.164 (+48221234567), read as it is dialled in the record's country; without a country, in
    Poland; with one that nobody knows, only an international number is understood. What stands before the number and after
    it (tel., an extension, a name, a second number) is dropped, since E.164 has no place for it. A national number must be
    of the country's numbering plan, an international one of a length that there is (ops.phone_plan); at home nine digits
    that begin with no zero are enough, and looked up nowhere. -#}
{%- macro phone_e164(value, country="null::text") -%}
{%- set ascii = "translate(" ~ value ~ ", U&'\\000a\\FF0B\\FF10\\FF11\\FF12\\FF13\\FF14\\FF15\\FF16\\FF17\\FF18\\FF19', ';+0123456789')" -%}
{%- set run = "'^[^0-9+(@]*([+(]{0,3} *[0-9][-0-9() ./\\u2010-\\u2015]*)[^@]*$'" -%}
(select case
    when not signed and land = 'PL' and length(digits) = 9 and left(digits, 1) <> '0' then '+48' || digits
    when (signed or land = 'PL') and length(digits) = 11 and left(digits, 2) = '48' and substr(digits, 3, 1) <> '0' then '+' || digits
    when not signed and land = 'PL' and length(digits) = 18 and left(digits, 1) <> '0' then '+48' || left(digits, 9)
    when length(digits) between 4 and 25 then {{ phone_by_plan('digits', 'signed', 'land') }} end
 from (select translate(run, '+ ()-./' || U&'\2010\2011\2012\2013\2014\2015', '') as digits, position('+' in run) > 0 as signed, land
       from (select case when run ~ '[0-9][^/0-9]*/' and length(translate(split_part(run, '/', 1), '+ ()-.', '')) >= 7
                    then split_part(run, '/', 1) else run end as run, {{ country_or_home(country) }} as land
             from (select substring({{ text(ascii) }} from {{ run }}) as run offset 0) as matched
             where run is not null offset 0) as first offset 0) as phone) {{ forms_version() }}
{%- endmacro -%}
