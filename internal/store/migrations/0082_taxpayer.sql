-- Taxpayers, with their history like every record of the registry.
create table if not exists registry_taxpayer (
  record     bigint primary key,
  source     text   not null,
  tin        text   not null,
  content    text   not null,
  from_load  bigint not null,
  until_load bigint not null
);
create index if not exists registry_taxpayer_tin on registry_taxpayer (tin, until_load);
