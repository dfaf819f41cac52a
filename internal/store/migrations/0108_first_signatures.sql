-- The first signature of each new key, as proof that it is in its holder's hands. A key that was issued and has signed
-- nothing yet has a row with signed = 0.
create table if not exists ra_first_signatures (
  serial    text   primary key,
  number    text   not null,
  signed    bigint not null,
  purpose   text   not null,
  challenge text   not null,
  about     text   not null,
  signature blob,
  checks    blob
);
create index if not exists ra_first_signatures_number on ra_first_signatures (number);
-- What proves one without us: a time-stamp, answers about certificates.
create table if not exists ra_first_proofs (
  serial text   not null,
  seq    bigint not null,
  kind   text   not null,
  body   blob   not null,
  primary key (serial, seq)
);
