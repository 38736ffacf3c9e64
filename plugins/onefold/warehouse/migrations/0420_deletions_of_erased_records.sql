-- The fingerprint of a record of which something was erased did not say whether it is a deletion: one with the content of
-- the newest version, and of the same time, was taken for that version, and the record stayed.
drop function if exists ops.erased_hash(jsonb);
