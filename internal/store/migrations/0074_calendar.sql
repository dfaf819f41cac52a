-- Calendar feeds, by the hash of their token; revoked ones stay, so that they can say so. Who gets a letter
-- a day about the keys he looks after, and whose keys those are beside his own.
create table if not exists ra_feeds (
  hash text primary key,
  iin text not null,
  staff text not null,
  created bigint not null,
  revoked bigint not null
);
create index if not exists ra_feeds_iin on ra_feeds (iin, created);
create table if not exists ra_digests (
  iin text primary key,
  since bigint not null
);
create table if not exists ra_looked_after (
  iin text not null,
  holder text not null,
  bin text not null,
  since bigint not null,
  primary key (iin, holder, bin)
);
