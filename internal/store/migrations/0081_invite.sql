-- Invitations of people into an enterprise, by the hash of the letter's token, and what an invited user's
-- profile was given: permissions, power of attorney, term.
create table if not exists participant_invitations (
  id text primary key,
  state text not null,
  inviter text not null,
  head text not null,
  tin text not null,
  org text not null,
  iin text not null,
  email text not null,
  lang text not null,
  permissions text not null,
  proxy text not null,
  valid_from bigint not null,
  valid_to bigint not null,
  link text not null,
  failed bigint not null,
  offer text not null,
  acceptance text not null,
  made bigint not null,
  sent bigint not null,
  expires bigint not null,
  ended bigint not null
);
create index if not exists participant_invitations_link on participant_invitations (link);
create index if not exists participant_invitations_tin on participant_invitations (tin, sent);
create index if not exists participant_invitations_made on participant_invitations (made);
create table if not exists participant_grants (
  profile text primary key,
  permissions text not null,
  proxy text not null,
  valid_from bigint not null,
  valid_to bigint not null
);
