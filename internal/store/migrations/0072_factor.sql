-- Second factors of the cabinet; what is known of addresses beside the accounts themselves.
create table if not exists ra_factors (
  handle   text   primary key,
  iin      text   not null,
  about    text   not null,
  kind     text   not null,
  hash     text   not null,
  sent     bigint not null,
  wrong    bigint not null,
  passed   bigint not null,
  exempt   bigint not null
);
create index if not exists ra_factors_iin on ra_factors (iin, sent);
create index if not exists ra_factors_sent on ra_factors (sent);
create table if not exists ra_contacts (
  iin   text   primary key,
  pending text not null,
  bad   bigint not null,
  quiet bigint not null
);
create index if not exists ra_accounts_email on ra_accounts (email);
create index if not exists ra_links_iin on ra_links (iin, expires);
