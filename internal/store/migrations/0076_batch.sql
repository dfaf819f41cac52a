-- Bulk renewals, by their maker, and the keys a person looks after (serial numbers only).
create table if not exists ra_batches (
  id text primary key,
  iin text not null,
  created bigint not null,
  body text not null
);
create index if not exists ra_batches_iin on ra_batches (iin, created);
create table if not exists ra_watched (
  iin text not null,
  serial text not null,
  since bigint not null,
  primary key (iin, serial)
);
create table if not exists ra_batch_items (
  number text primary key,
  iin text not null
);
create index if not exists ra_batch_items_iin on ra_batch_items (iin);
