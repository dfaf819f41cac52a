-- Scans of the papers by which clerks change a head, sealed with the installation key; made says when, so that those of
-- drafts nobody signed can go.
create table if not exists registry_scan (
  change text   not null,
  hash   text   not null,
  kind   text   not null,
  made   bigint not null,
  body   blob   not null,
  primary key (change, hash)
);
create index if not exists registry_scan_made on registry_scan (made);
