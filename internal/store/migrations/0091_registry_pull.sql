-- How the fetching of a source's batches goes: which slot of the calendar was tried last, when, how often, what came
-- of it, and the manifest that was refused and is not fetched again.
create table if not exists registry_pull (
  source  text   primary key,
  slot    bigint not null,
  tried   bigint not null,
  tries   bigint not null,
  code    text   not null,
  refused text   not null
);
