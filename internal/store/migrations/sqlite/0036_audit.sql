-- The audit is only ever added to, at its end. "insert or replace" deletes without telling a trigger
-- on delete, so the number of a new row is looked at too.
create trigger if not exists audit_no_update before update on audit
  begin select raise(abort, 'audit records are never changed'); end;
create trigger if not exists audit_no_delete before delete on audit
  begin select raise(abort, 'audit records are never deleted'); end;
create trigger if not exists audit_at_end before insert on audit
  when new.seq <> (select coalesce(max(seq), 0) + 1 from audit where node = new.node)
  begin select raise(abort, 'an audit record does not follow the last one'); end;
create trigger if not exists audit_checkpoints_no_update before update on audit_checkpoints
  begin select raise(abort, 'audit checkpoints are never changed'); end;
create trigger if not exists audit_checkpoints_no_delete before delete on audit_checkpoints
  begin select raise(abort, 'audit checkpoints are never deleted'); end;
create trigger if not exists audit_checkpoints_at_end before insert on audit_checkpoints
  when new.number <> (select coalesce(max(number), 0) + 1 from audit_checkpoints where node = new.node)
  begin select raise(abort, 'an audit checkpoint does not follow the last one'); end;
