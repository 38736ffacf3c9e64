-- Plain names of the figures in the plans and outcomes of rollbacks, which execute compares with each other.
do $$
declare
    renamed constant jsonb := '{"versions_out": "versions_removed", "versions_in": "versions_restored",
        "versions_of_others_out": "other_versions_removed", "versions_of_others_in": "other_versions_added",
        "keys_vanishing": "records_removed", "keys_earlier": "records_changed", "keys_new": "records_added",
        "quarantined_out": "quarantine_removed", "quarantined_in": "quarantine_added",
        "never_judged": "not_gated", "moved_loads": "other_loads"}';
    old_name text;
    new_name text;
begin
    for old_name, new_name in select key, value from jsonb_each_text(renamed) loop
        update ops.rollback set
            plan = replace(plan::text, format('"%s":', old_name), format('"%s":', new_name))::jsonb,
            outcome = replace(outcome::text, format('"%s":', old_name), format('"%s":', new_name))::jsonb;
    end loop;
end $$;
