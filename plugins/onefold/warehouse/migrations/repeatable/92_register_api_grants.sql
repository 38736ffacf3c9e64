-- What the register API's roles may do, after all that 90_grants.sql opens to engineers and auditors.
-- onefold_api reads; onefold_api_people, which it becomes for a client with the scope, also what is personal.
grant usage on schema ops, conformed to onefold_api, onefold_api_writer, onefold_api_people;
grant execute on function conformed.search_form(text) to onefold_api, onefold_api_people;
grant select (company_id, tax_id_pl, regon, krs, eu_vat, status, town_form, main_activity, natural_person, name_form, systems,
    content, published_at) on ops.api_company to onefold_api;
grant select (system, stream, lookup_key, outcome, answered_at, proof, content) on ops.api_answer to onefold_api;
grant select (system, stream, lookup_key, outcome, answered_at, proof) on ops.lookup_cache to onefold_api, onefold_api_people;
grant select on ops.api_client, ops.api_key, ops.api_shown, ops.api_watch, ops.api_change, ops.api_webhook, ops.api_check,
    ops.api_allowance, ops.published, ops.publish, ops.load, ops.stream_lag to onefold_api, onefold_api_people;
grant select on ops.api_company, ops.api_answer to onefold_api_people;
grant select, insert, update, delete on ops.api_company, ops.api_change, ops.api_webhook_event to onefold_loader;
grant select, update on ops.api_shown to onefold_loader;
grant select, update, delete on ops.api_answer, ops.api_check, ops.api_request, ops.api_webhook, ops.api_watch to onefold_loader;
grant select, insert, update on ops.api_allowance, ops.usage to onefold_definer;
grant select, insert on ops.api_request, ops.api_request_batch to onefold_definer;
grant maintain on ops.api_request to onefold_definer; -- for the lock
grant select, insert, update, delete on ops.api_answer, ops.api_check, ops.api_watch, ops.api_webhook, ops.api_webhook_event to onefold_api_writer;
grant select, insert, update on ops.rate_limit to onefold_api_writer;
grant select on ops.country_name, ops.phone_region, ops.phone_calling_code, ops.phone_plan, ops.postal_code_form to onefold_api_writer;
grant execute on function conformed.is_natural_person(text, text) to onefold_api_writer;
grant select (erasure_id, kind, hmac, system, stream, _key) on ops.suppression to onefold_api_writer; -- nobody comes back by a question
grant execute on function ops.refresh_api_companies(text[], text[]), ops.admit_api_requests(text[], integer[], bigint[]),
    ops.record_api_requests(text[], text[], uuid[], boolean[], smallint[], integer[], bigint[]), ops.chain_api_requests(),
    ops.take_api_question(text), ops.count_api_question(text, text, text, text, bigint, double precision),
    ops.tell_of_api(text, text, text, jsonb), ops.api_held_record(text, text, text), ops.api_owners(text),
    ops.api_companies_of_owners(text[]) to onefold_api_writer;
grant execute on function ops.altered_api_requests(), ops.api_request_hash(bigint, bigint) to onefold_auditor, onefold_engineer;
-- What is personal in these tables neither engineers nor auditors read.
revoke select on ops.api_company, ops.api_answer, ops.api_check from onefold_engineer, onefold_auditor;
grant select (company_id, natural_person, status, systems, published_at) on ops.api_company to onefold_engineer, onefold_auditor;
grant select (system, stream, outcome, answered_at, proof) on ops.api_answer to onefold_engineer, onefold_auditor;
grant select (check_id, client, state, created_at, ended_at) on ops.api_check to onefold_engineer, onefold_auditor;
revoke select on ops.api_key, ops.api_webhook from onefold_engineer, onefold_auditor;
grant select (key_id, client, created_at, created_by, expires_at, revoked_at) on ops.api_key to onefold_engineer, onefold_auditor;
grant select (webhook_id, client, created_at, disabled_at) on ops.api_webhook to onefold_engineer, onefold_auditor;
