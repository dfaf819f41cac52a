-- The audit is only ever added to. Taking the right away from the role as well is the operator's
-- part: doc/operator.md.
create or replace function audit_append_only() returns trigger language plpgsql as $$
  begin raise exception 'audit records and checkpoints are never changed or deleted'; end $$;
drop trigger if exists audit_append_only on audit;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function audit_append_only();
drop trigger if exists audit_checkpoints_append_only on audit_checkpoints;
create trigger audit_checkpoints_append_only before update or delete or truncate on audit_checkpoints
  for each statement execute function audit_append_only();
