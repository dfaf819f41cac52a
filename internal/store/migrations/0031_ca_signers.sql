-- Certificates an authority gave to its own services, OCSP responders and time-stamping authorities,
-- and the names of their keys. It takes the place of ca_responders.
create table if not exists ca_signers (
  serial text primary key,
  ca text not null,
  kind text not null,
  key_name text not null,
  raw blob not null,
  not_after bigint not null
);
create index if not exists ca_signers_ca on ca_signers (ca, kind, not_after);
insert into ca_signers (serial, ca, kind, key_name, raw, not_after)
  select serial, ca, 'ocsp', key_name, raw, not_after from ca_responders where true on conflict do nothing;
delete from ca_responders;
