-- What a head has decided about his people: delegations and dismissals, with columns to find them by
-- and the rest as JSON; and which changes of an organisation in the registry were followed.
create table if not exists ra_delegations (
  id text primary key,
  bin text not null,
  iin text not null,
  powers text not null,
  from_at bigint not null,
  until_at bigint not null,
  ended_at bigint not null,
  body text not null
);
create index if not exists ra_delegations_iin on ra_delegations (iin, bin);
create index if not exists ra_delegations_bin on ra_delegations (bin, from_at);
create table if not exists ra_dismissals (
  bin text not null,
  iin text not null,
  at bigint not null,
  lifted_at bigint not null,
  body text not null,
  primary key (bin, iin)
);
create table if not exists ra_changes (
  bin text not null,
  change text not null,
  primary key (bin, change)
);
