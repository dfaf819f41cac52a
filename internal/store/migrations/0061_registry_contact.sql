-- Phones of the mobile citizens base, with their history like every record of the registry.
create table if not exists registry_contact (
  record     bigint primary key,
  source     text   not null,
  iin        text   not null,
  content    text   not null,
  from_load  bigint not null,
  until_load bigint not null
);
create index if not exists registry_contact_iin on registry_contact (iin, until_load);
