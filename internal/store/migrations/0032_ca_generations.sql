-- Authorities that issue no more; roots' certificates by each other; authorities whose certificate was
-- asked for from an offline root.
create table if not exists ca_retired (
  name text primary key,
  successor text not null,
  retired bigint not null
);
create table if not exists ca_crosses (
  name text primary key,
  subject text not null,
  issuer text not null,
  raw blob not null,
  created bigint not null
);
create table if not exists ca_requests (
  name text primary key,
  key_name text not null,
  plan blob not null,
  raw blob not null,
  created bigint not null
);
