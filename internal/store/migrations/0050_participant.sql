-- Participants of the e-invoice system: accounts by IIN, profiles by IIN, tin and type with their
-- whole history, registrations on their way, what the gate found, and the agreements signed.
create table if not exists participant_accounts (
  iin text primary key,
  name text not null,
  password text not null,
  email text not null,
  email_confirmed bigint not null,
  phone text not null,
  lang text not null,
  state text not null,
  blocked_reason text not null,
  failed bigint not null,
  locks bigint not null,
  locked_until bigint not null,
  day_failed bigint not null,
  day_start bigint not null,
  password_changed bigint not null,
  created bigint not null
);
create table if not exists participant_profiles (
  id text primary key,
  iin text not null,
  tin text not null,
  type text not null,
  name text not null,
  category text not null,
  status text not null,
  previous text not null,
  reason text not null,
  since bigint not null,
  evidence text not null,
  reconfirm_by bigint not null
);
create unique index if not exists participant_profiles_own on participant_profiles (iin, tin, type);
create index if not exists participant_profiles_tin on participant_profiles (tin);
-- At most one active head of an enterprise.
create unique index if not exists participant_profiles_head on participant_profiles (tin)
  where type = 'ADMIN_ENTERPRISE' and status = 'ACTIVE';
create table if not exists participant_changes (
  profile text not null,
  seq bigint not null,
  before text not null,
  after text not null,
  reason text not null,
  moment bigint not null,
  evidence text not null,
  primary key (profile, seq)
);
create table if not exists participant_enterprises (
  tin text primary key,
  name text not null,
  category text not null,
  head_office text not null,
  record text not null,
  blocked bigint not null,
  blocked_reason text not null,
  updated bigint not null
);
create table if not exists participant_registrations (
  id text primary key,
  owner text not null,
  category text not null,
  state text not null,
  reason text not null,
  lang text not null,
  iin text not null,
  tin text not null,
  certificate blob,
  proved bigint not null,
  person text not null,
  subject text not null,
  evidence text not null,
  entered text not null,
  password text not null,
  known bigint not null,
  data_at bigint not null,
  agreement text not null,
  signature text not null,
  signer blob,
  signed_at bigint not null,
  letters bigint not null,
  last_letter bigint not null,
  started bigint not null,
  expires bigint not null,
  ended bigint not null
);
create index if not exists participant_registrations_tin on participant_registrations (tin, ended);
create index if not exists participant_registrations_iin on participant_registrations (iin, ended);
create index if not exists participant_registrations_due on participant_registrations (ended, expires);
create table if not exists participant_links (
  hash text primary key,
  registration text not null,
  made bigint not null
);
create index if not exists participant_links_registration on participant_links (registration);
create table if not exists participant_evidence (
  id text primary key,
  registration text not null,
  moment bigint not null,
  checks text not null
);
create table if not exists participant_agreements (
  version text primary key,
  valid_from bigint not null,
  texts text not null
);
create table if not exists participant_signatures (
  id text primary key,
  registration text not null,
  version text not null,
  lang text not null,
  document blob not null,
  certificate blob not null,
  evidence text not null,
  moment bigint not null,
  timestamp_token blob
);
create index if not exists participant_signatures_registration on participant_signatures (registration);
