-- When somebody signed in to the cabinet with a key last.
create table if not exists ra_key_uses (
  serial text primary key,
  used   bigint not null
);
