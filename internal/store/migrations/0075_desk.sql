-- The operator's desk: scans of papers, sealed with the installation key; what is done to keys by two
-- operators, as JSON; and the way to an application by its state and last change.
create table if not exists ra_scans (
  number text not null,
  hash text not null,
  kind text not null,
  body blob not null,
  primary key (number, hash)
);
create table if not exists ra_acts (
  id text primary key,
  serial text not null,
  state text not null,
  changed bigint not null,
  body text not null
);
create index if not exists ra_acts_state on ra_acts (state, changed);
create index if not exists ra_applications_changed on ra_applications (state, changed);
