-- Plans of a write-back that nobody has answered expire, and each that ends without being executed says why.
alter table ops.write_back_plan drop constraint write_back_plan_state_check;
alter table ops.write_back_plan add constraint write_back_plan_state_check
    check (state in ('planning', 'planned', 'executed', 'turned_down', 'superseded', 'expired'));
alter table ops.write_back_plan add column reason text;
