-- The loads of the last days are found by their time (the console's trend) without reading all that there ever were.
-- BRIN: a few kilobytes, and an update of a load does not have to write into it.
create index load_by_time on ops.load using brin (started_at) with (pages_per_range = 8);
