-- Agreements as a person's own, with the moment by which they must be signed again; identity documents;
-- what a person signs about his details; what administrators block and lift.
create table if not exists participant_agreement_ends (
  version text primary key,
  must_resign_by bigint not null
);
create table if not exists participant_signature_holders (
  signature text primary key,
  iin text not null,
  tin text not null
);
create index if not exists participant_signature_holders_iin on participant_signature_holders (iin);
insert into participant_signature_holders (signature, iin, tin)
  select s.id, g.iin, g.tin from participant_signatures s join participant_registrations g on g.id = s.registration
  where true on conflict (signature) do nothing;
create table if not exists participant_documents (
  iin text primary key,
  number text not null,
  issued text not null,
  issuer text not null
);
create table if not exists participant_act_details (
  browser text not null,
  kind text not null,
  details text not null,
  primary key (browser, kind)
);
create table if not exists participant_notes (
  profile text primary key,
  note text not null
);
create table if not exists participant_admin_acts (
  id text primary key,
  kind text not null,
  object text not null,
  name text not null,
  lift bigint not null,
  reason text not null,
  state text not null,
  made bigint not null,
  made_by text not null,
  made_xml blob,
  decided bigint not null,
  decided_by text not null,
  decided_xml blob
);
create index if not exists participant_admin_acts_made on participant_admin_acts (made);
