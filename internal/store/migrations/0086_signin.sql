-- Sign-ins: what is told of each, the machines a person is known at, and passkeys.
create index if not exists auth_sessions_created on auth_sessions (created);
create table if not exists participant_entry_browsers (
  entry text primary key,
  iin text not null,
  browser text not null
);
create index if not exists participant_entry_browsers_iin on participant_entry_browsers (iin);
create table if not exists participant_act_passkeys (
  browser text primary key,
  passkey text not null,
  made bigint not null
);
create table if not exists participant_machines (
  iin text not null,
  hash text not null,
  seen bigint not null,
  primary key (iin, hash)
);
create table if not exists participant_passkeys (
  id text primary key,
  iin text not null,
  name text not null,
  credential text not null,
  made bigint not null,
  signature text not null,
  used bigint not null
);
create index if not exists participant_passkeys_iin on participant_passkeys (iin, made);
