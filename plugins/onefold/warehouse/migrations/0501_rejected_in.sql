-- In which state a rejected load was, so that a source that was never reached is not shown as a load that the gate refused.
-- Loads that were rejected before have none.
alter table ops.load add column rejected_in text check (rejected_in in ('extracting', 'landed', 'gated'));
