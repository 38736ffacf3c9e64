-- How a replay has ended, in a word: one whose every row came back is not the same as one that mended something.
alter table ops.replay add column verdict text generated always as (
    case when ended_at is null then 'running' when refused = 0 then 'complete'
         when refused = selected then 'all refused' else 'partly refused' end
) virtual;
-- The newest open rows are found without passing over those that were closed.
create index quarantine_open_newest on ops.quarantine (quarantine_id) where state = 'open';
