-- Registries as files: bank accounts, banks and exceptions of the calendar of loads, with their history
-- like every record of the registry.
create table if not exists registry_account (
  record     bigint primary key,
  source     text   not null,
  account    text   not null, -- number of the owner / number of the account
  tin        text   not null,
  content    text   not null,
  from_load  bigint not null,
  until_load bigint not null
);
create index if not exists registry_account_account on registry_account (account, until_load);
create index if not exists registry_account_tin on registry_account (tin, until_load);

create table if not exists registry_bank (
  record     bigint primary key,
  source     text   not null,
  bik        text   not null,
  content    text   not null,
  from_load  bigint not null,
  until_load bigint not null
);
create index if not exists registry_bank_bik on registry_bank (bik, until_load);

create table if not exists registry_calendar (
  record     bigint primary key,
  source     text   not null,
  slot       text   not null, -- day / source it speaks about
  content    text   not null,
  from_load  bigint not null,
  until_load bigint not null
);
create index if not exists registry_calendar_slot on registry_calendar (slot, until_load);

-- Which load of a source is the last decides what is in force: it is asked with every record.
create index if not exists registry_load_source on registry_load (source, number);
-- What a load brought and ended, for whom it must be told. Few end.
create index if not exists registry_leader_from on registry_leader (from_load);
create index if not exists registry_leader_until on registry_leader (until_load) where until_load <> 0;
create index if not exists registry_entity_until on registry_entity (until_load) where until_load <> 0;
create index if not exists registry_contact_until on registry_contact (until_load) where until_load <> 0;

-- Batches of files on their way. load is the number a batch becomes in force by; its records stand in
-- the tables before that, and nobody sees them.
create table if not exists registry_import (
  id         bigint primary key,
  source     text   not null,
  sha256     text   not null,
  state      text   not null,
  received   bigint not null,
  load       bigint not null,
  claimed    bigint not null, -- until when claimed_by works at it
  claimed_by text   not null,
  content    text   not null
);
create index if not exists registry_import_state on registry_import (state, source);

-- Rows of a batch that were refused, and why.
create table if not exists registry_refused (
  import bigint not null,
  file   text   not null,
  line   bigint not null,
  field  text   not null,
  code   text   not null,
  kept   bigint not null
);
create index if not exists registry_refused_import on registry_refused (import, file, line);

-- Checked rows of the batch on its way, one batch of a source at a time; a kind of record has one source.
-- op: U new or changed, D ends, K refused, and so neither: what is in force stays.
create table if not exists registry_stage_entity (
  line    bigint not null,
  op      text   not null,
  key     text   not null,
  head    text   not null,
  content text   not null
);
create index if not exists registry_stage_entity_line on registry_stage_entity (line);
create index if not exists registry_stage_entity_key on registry_stage_entity (key);
create table if not exists registry_stage_leader (
  line         bigint not null,
  op           text   not null,
  key          text   not null, -- BIN
  iin          text   not null,
  appointed_on text   not null,
  dismissed_on text   not null,
  disputed     bigint not null,
  content      text   not null
);
create index if not exists registry_stage_leader_line on registry_stage_leader (line);
create index if not exists registry_stage_leader_key on registry_stage_leader (key);
create table if not exists registry_stage_person (
  line    bigint not null,
  op      text   not null,
  key     text   not null,
  content text   not null
);
create index if not exists registry_stage_person_line on registry_stage_person (line);
create table if not exists registry_stage_contact (
  line    bigint not null,
  op      text   not null,
  key     text   not null,
  content text   not null
);
create index if not exists registry_stage_contact_line on registry_stage_contact (line);
create table if not exists registry_stage_taxpayer (
  line    bigint not null,
  op      text   not null,
  key     text   not null,
  content text   not null
);
create index if not exists registry_stage_taxpayer_line on registry_stage_taxpayer (line);
create table if not exists registry_stage_account (
  line    bigint not null,
  op      text   not null,
  key     text   not null,
  content text   not null
);
create index if not exists registry_stage_account_line on registry_stage_account (line);
create table if not exists registry_stage_bank (
  line    bigint not null,
  op      text   not null,
  key     text   not null,
  content text   not null
);
create index if not exists registry_stage_bank_line on registry_stage_bank (line);
create table if not exists registry_stage_calendar (
  line    bigint not null,
  op      text   not null,
  key     text   not null,
  content text   not null
);
create index if not exists registry_stage_calendar_line on registry_stage_calendar (line);
