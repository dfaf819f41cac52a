-- Sessions of browsers on our sites, named by the hash of their id, and the open challenges in them.
-- One open challenge for each purpose: a new one replaces the old.
create table if not exists auth_sessions (
  hash text primary key,
  site text not null,
  iin text not null,
  bin text not null,
  serial text not null,
  fingerprint text not null,
  name text not null,
  notes text not null,
  created bigint not null,
  seen bigint not null
);
create index if not exists auth_sessions_seen on auth_sessions (seen);
create index if not exists auth_sessions_iin on auth_sessions (iin);
create index if not exists auth_sessions_serial on auth_sessions (serial);
create table if not exists auth_challenges (
  hash text not null,
  purpose text not null,
  origin text not null,
  nonce text not null,
  digest text not null,
  issued bigint not null,
  expires bigint not null,
  primary key (hash, purpose)
);
