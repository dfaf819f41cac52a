-- The check page and reports: holders' consents to have their keys looked at, by the hash of the link's
-- token; reports, whose contents are sealed and wiped when the link ends; certificates by key identifier.
create table if not exists ra_consents (
  hash text primary key,
  iin text not null,
  created bigint not null,
  body text not null
);
create index if not exists ra_consents_iin on ra_consents (iin, created);
create table if not exists ra_reports (
  id text primary key,
  iin text not null,
  created bigint not null,
  body text not null,
  sealed blob not null
);
create index if not exists ra_reports_iin on ra_reports (iin, created);
create table if not exists ca_key_ids (
  key_id text not null,
  serial text not null,
  primary key (key_id, serial)
);
create index if not exists outbox_about on outbox (about);
