-- Our reference at a target has 20 letters (write_back/intents.py). Where the target has a record's long one, or may have it, it stays.
update ops.outbox as o
set reference = translate(left(encode(sha256(o.golden_id::text::bytea), 'hex'), 20), '0123456789abcdef', 'BCDFGHJKLMNPQRST')
where not exists (
    select from ops.outbox as known
    where known.target = o.target and known.object = o.object and known.golden_id = o.golden_id
        and (known.state in ('sent', 'ambiguous', 'confirmed') or known.target_key is not null));
