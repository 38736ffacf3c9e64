-- What no view reads any more, after all of them were made anew.
drop function if exists conformed.provenance(text[], bigint[], int[], int[], text[], jsonb);
