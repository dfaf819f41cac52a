-- What confirming applications needs: the inbox of an organisation in the order it closes, the
-- decisions as they were signed, and delegations of the head's rights (powers: words between spaces;
-- ended_at is 0 while nobody ended it).
create index if not exists ra_applications_inbox on ra_applications (bin, state, signed);
create table if not exists ra_decisions (
  hash text primary key,
  serial text not null,
  at bigint not null,
  body blob not null
);
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
