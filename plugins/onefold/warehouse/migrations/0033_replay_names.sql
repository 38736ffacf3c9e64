-- Plain names of replays: rows are selected, and a row that the gate refuses once more is refused, not "again".
alter table ops.replay rename column choice to selection;
alter table ops.replay rename column left_out to not_replayable;
alter table ops.replay rename column chosen to selected;
alter table ops.replay rename column again to refused;
alter table ops.replay_row drop constraint replay_row_outcome_check;
update ops.replay_row set outcome = 'refused' where outcome = 'again';
alter table ops.replay_row add constraint replay_row_outcome_check
    check (outcome in ('published', 'superseded', 'refused'));
