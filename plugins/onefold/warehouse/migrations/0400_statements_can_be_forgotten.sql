-- What somebody typed into a statement can be erased: events name a statement by a salted hash, and the salt goes with it.
alter table audit.statement rename column sha256 to name;
-- Of what is there already the events have the text's own hash. Asked again it gets a row, a salt and a name of its own.
alter table audit.statement add column sha256 bytea unique, add column salt bytea, add column erasure_id bigint;
alter table audit.statement alter column text drop not null;
