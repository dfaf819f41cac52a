-- Signed statements about each node's audit chain, and how far they went to another machine. What
-- refuses changes of records and checkpoints is in the file of the same name of each engine.
create table if not exists audit_checkpoints (
  node   text   not null,
  number bigint not null,
  size   bigint not null,
  note   text   not null,
  token  blob   not null,
  tree   blob   not null,
  primary key (node, number)
);
create table if not exists audit_exports (
  node   text primary key,
  number bigint not null
);
create index if not exists audit_actor on audit (actor);
create index if not exists audit_action on audit (action, node, seq);
create index if not exists audit_at on audit (at);
