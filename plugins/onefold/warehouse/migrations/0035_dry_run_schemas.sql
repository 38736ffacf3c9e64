-- The schemas in which a dry run maps and resolves are named after it: shadow_staging and shadow_mapped before.
alter schema shadow_staging rename to dry_run_staging;
alter schema shadow_mapped rename to dry_run_mapped;
