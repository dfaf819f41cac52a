-- The certification authority: its authorities, one row for each certificate on its way or made,
-- revocations, and the newest revocation lists. Serials are 40 lower hex digits and unique over all
-- authorities of an installation.
create table if not exists ca_authorities (
  name text primary key,
  parent text not null,
  raw blob not null,
  key_name text not null,
  settings blob not null,
  created bigint not null
);
create table if not exists ca_responders (
  serial text primary key,
  ca text not null,
  key_name text not null,
  raw blob not null,
  not_after bigint not null
);
create index if not exists ca_responders_ca on ca_responders (ca, not_after);
create table if not exists ca_certificates (
  serial text primary key,
  ca text not null,
  order_id text not null unique,
  key_hash text not null unique,
  profile text not null,
  state text not null,
  tbs blob,
  raw blob,
  iin text not null,
  bin text not null,
  name text not null,
  replaces text not null,
  not_before bigint not null,
  not_after bigint not null,
  created bigint not null
);
create index if not exists ca_certificates_state on ca_certificates (state, created);
create index if not exists ca_certificates_iin on ca_certificates (iin);
create index if not exists ca_certificates_bin on ca_certificates (bin);
create index if not exists ca_certificates_not_after on ca_certificates (not_after);
create index if not exists ca_certificates_replaces on ca_certificates (replaces);
create table if not exists ca_revocations (
  serial text primary key,
  ca text not null,
  epoch bigint not null,
  revoked_at bigint not null,
  reason bigint not null,
  invalidity bigint not null,
  revoked_by text not null
);
create unique index if not exists ca_revocations_epoch on ca_revocations (ca, epoch);
-- One row for an authority: the newest epoch of its revocations, the newest number of its lists.
create table if not exists ca_counters (
  ca text primary key,
  epoch bigint not null,
  list_number bigint not null
);
create table if not exists ca_lists (
  ca text not null,
  delta bigint not null,
  number bigint not null,
  base bigint not null,
  epoch bigint not null,
  scheduled bigint not null,
  this_update bigint not null,
  next_update bigint not null,
  raw blob not null,
  primary key (ca, delta, number)
);
