-- Applications for keys: columns to find them by, the rest as JSON; counters of numbers by day;
-- public keys asked for; accounts of the cabinet and the links that confirm their addresses.
create table if not exists ra_applications (
  number text primary key,
  iin text not null,
  bin text not null,
  state text not null,
  signed bigint not null,
  created bigint not null,
  changed bigint not null,
  body text not null
);
create index if not exists ra_applications_iin on ra_applications (iin, created);
create index if not exists ra_applications_bin on ra_applications (bin, created);
create index if not exists ra_applications_state on ra_applications (state, signed);
create table if not exists ra_counters (
  day text primary key,
  n bigint not null
);
create table if not exists ra_keys (
  hash text primary key,
  application text not null
);
create table if not exists ra_accounts (
  iin text primary key,
  email text not null,
  city text not null,
  lang text not null,
  confirmed bigint not null,
  consent bigint not null,
  created bigint not null,
  changed bigint not null
);
create table if not exists ra_links (
  hash text primary key,
  iin text not null,
  email text not null,
  expires bigint not null
);
