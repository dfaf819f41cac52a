-- How a message of the outbox goes, and who has it: a row of its own, so that messages written before
-- have none and are letters. ref is the random name of a short message; expires is when its code dies.
create table if not exists outbox_way (
  id      bigint primary key,
  channel text   not null,
  ref     text   not null,
  expires bigint not null,
  claimed bigint not null,
  claims  bigint not null,
  code    bigint not null
);
create index if not exists outbox_way_ref on outbox_way (ref);
-- The parts of a short message by the names the message centre gave them.
create table if not exists outbox_part (
  part   text   primary key,
  id     bigint not null,
  number bigint not null,
  state  text   not null
);
create index if not exists outbox_part_id on outbox_part (id, number);
-- What is known of an address, by its keyed hash.
create table if not exists address (
  who       text   primary key,
  bad       bigint not null,
  muted     bigint not null,
  confirmed bigint not null
);
create index if not exists address_bad on address (bad);
-- Letters to an address that did not arrive.
create table if not exists address_failure (
  who  text   not null,
  at   bigint not null,
  fate text   not null
);
create index if not exists address_failure_who on address_failure (who, at);
-- Numbers of a day; each node counts in a row of its own, so that counting alone makes no two wait.
create table if not exists outbox_day (
  day    text   not null,
  what   text   not null,
  node   text   not null,
  number bigint not null,
  primary key (day, what, node)
);
