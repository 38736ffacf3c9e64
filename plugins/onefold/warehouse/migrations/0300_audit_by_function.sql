-- Audit events are appended by a function that links and hashes them itself (repeatable/12_audit.sql): no role inserts any more.

-- Whoever appends holds this table until its commit. An advisory lock could be taken, and kept, by anybody.
create table audit.append_lock ();
comment on table audit.append_lock is 'Empty. Who appends an audit event locks it, so that the events follow one another.';

-- The trigger did refuse what does not continue the chain; it now also fills in what an event leaves open.
alter function audit.refuse_fork() rename to link_event;
alter trigger event_no_fork on audit.event rename to event_link;

revoke insert on audit.event from onefold_loader;
