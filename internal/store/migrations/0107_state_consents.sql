-- Consents of people to the register of persons, sealed, until their short time is over: whichever node saw one, any goes
-- on with it. And when a person was sent the message that asks for one: so often and no more, whichever node sends it.
create table if not exists state_consents (
  who    text   primary key,
  sealed blob   not null,
  until  bigint not null
);
create index if not exists state_consents_until on state_consents (until);
create table if not exists state_consent_asks (
  who text   not null,
  at  bigint not null,
  seq bigint not null,
  primary key (who, at, seq)
);
create index if not exists state_consent_asks_at on state_consent_asks (at);
