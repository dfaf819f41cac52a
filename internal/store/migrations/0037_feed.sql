-- Who follows what was issued: how far each follower has read each node's audit chain; and the public
-- log: its place in the world (one row), what stands where in it, and the salts of holders.
create table if not exists feed_cursors (
  feed text not null,
  node text not null,
  seq bigint not null,
  primary key (feed, node)
);
create table if not exists log_state (
  id bigint primary key,
  origin text not null,
  public_key text not null,
  private_key blob not null,
  writer text not null,
  until bigint not null,
  planned bigint not null,
  written bigint not null,
  root blob not null
);
create table if not exists log_entries (
  position bigint primary key,
  serial text not null unique,
  leaf blob not null
);
-- holder is a keyed hash of an IIN or BIN; the salt is sealed with the installation key.
create table if not exists log_salts (
  holder text primary key,
  sealed blob not null,
  created bigint not null
);
