-- By which fields (types, paths, required) the gate judged a load, so that a plan tells whether the YAML's are others.
alter table ops.load add column fields_fingerprint text;
