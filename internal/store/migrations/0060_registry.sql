-- Registry of organisations, their heads and persons. Every record has the load it came by and the
-- load that ended it (0: in force), so that what was known at any time is known.
create table if not exists registry_load (
  number      bigint primary key,
  source      text   not null,
  full_load   bigint not null,
  as_of       bigint not null,
  received    bigint not null,
  sha256      text   not null,
  operator    text   not null,
  entities    bigint not null,
  leaders     bigint not null,
  persons     bigint not null,
  quarantined bigint not null,
  unique (source, sha256)
);

create table if not exists registry_entity (
  record      bigint primary key,
  source      text   not null,
  bin         text   not null,
  content     text   not null,
  from_load   bigint not null,
  until_load  bigint not null
);
create index if not exists registry_entity_bin on registry_entity (bin, until_load);

create table if not exists registry_leader (
  record       bigint primary key,
  source       text   not null,
  bin          text   not null,
  appointed_on text   not null,
  content      text   not null,
  disputed     bigint not null,
  from_load    bigint not null,
  until_load   bigint not null
);
create index if not exists registry_leader_bin on registry_leader (bin, until_load);

create table if not exists registry_person (
  record     bigint primary key,
  source     text   not null,
  iin        text   not null,
  content    text   not null,
  from_load  bigint not null,
  until_load bigint not null
);
create index if not exists registry_person_iin on registry_person (iin, until_load);

-- Changes of head that clerks record and confirm.
create table if not exists registry_change (
  id      text   primary key,
  bin     text   not null,
  state   text   not null,
  made    bigint not null,
  content text   not null
);
create index if not exists registry_change_made on registry_change (made);
