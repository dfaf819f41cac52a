-- Recovery of access: what a browser is about to sign, what was signed, changes of address, links
-- that set a new password, and the sign-ins a person may look at. Tokens are kept hashed.
create table if not exists participant_acts (
  browser text not null,
  kind text not null,
  iin text not null,
  email text not null,
  password text not null,
  phone text not null,
  lang text not null,
  old_email text not null,
  old_phone text not null,
  old_lang text not null,
  reset text not null,
  made bigint not null,
  primary key (browser, kind)
);
create index if not exists participant_acts_made on participant_acts (made);
create table if not exists participant_signed_acts (
  id text primary key,
  kind text not null,
  iin text not null,
  act text not null,
  challenge text not null,
  answer blob not null,
  certificate blob not null,
  moment bigint not null
);
create index if not exists participant_signed_acts_iin on participant_signed_acts (iin, moment);
create table if not exists participant_email_changes (
  id text primary key,
  iin text not null,
  old_email text not null,
  new_email text not null,
  lang text not null,
  state text not null,
  confirm text not null,
  dispute text not null,
  signature text not null,
  asked bigint not null,
  expires bigint not null,
  effective bigint not null,
  ended bigint not null
);
create unique index if not exists participant_email_changes_confirm on participant_email_changes (confirm);
create unique index if not exists participant_email_changes_dispute on participant_email_changes (dispute);
create index if not exists participant_email_changes_iin on participant_email_changes (iin, asked);
create table if not exists participant_reset_asks (
  id text primary key,
  iin text not null,
  email text not null,
  lang text not null,
  made bigint not null
);
create table if not exists participant_resets (
  hash text primary key,
  iin text not null,
  email text not null,
  asked bigint not null,
  expires bigint not null,
  failed bigint not null,
  used bigint not null,
  signature text not null
);
create index if not exists participant_resets_iin on participant_resets (iin, asked);
create table if not exists participant_entries (
  id text primary key,
  iin text not null,
  moment bigint not null,
  serial text not null,
  network text not null
);
create index if not exists participant_entries_iin on participant_entries (iin, moment);
