-- Settings of the installation itself, written by the program.
create table if not exists setting (
  name  text primary key,
  value blob not null
);

-- One hash chain for each node; rows are only ever added.
create table if not exists audit (
  node   text   not null,
  seq    bigint not null,
  at     bigint not null,
  action text   not null,
  actor  text   not null,
  object text   not null,
  result text   not null,
  detail text   not null,
  prev   blob   not null,
  hash   blob   not null,
  primary key (node, seq)
);
create index if not exists audit_object on audit (object);

-- Letters, written in the transaction of the change they speak about. The address and the values
-- are sealed with the installation key and wiped once the letter is gone.
create table if not exists outbox (
  id       bigint primary key,
  key      text   not null unique,
  n        text   not null,
  lang     text   not null,
  about    text   not null,
  sealed   blob   not null,
  who      text   not null,
  state    text   not null,
  why      text   not null,
  attempts bigint not null,
  created  bigint not null,
  due      bigint not null,
  done     bigint not null
);
create index if not exists outbox_who on outbox (who, created);
create index if not exists outbox_state on outbox (state, due);
