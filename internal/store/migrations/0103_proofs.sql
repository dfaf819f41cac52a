-- What makes a person's signature verifiable without us: time-stamps, OCSP answers, lists, digests. A list may be
-- proof of many signatures and is kept once.
create table if not exists participant_proof_bodies (
  sha256 text  primary key,
  body   blob   not null
);
create table if not exists participant_proofs (
  signature text   not null,
  seq       bigint not null,
  kind      text   not null,
  sha256    text   not null,
  made      bigint not null,
  ends      bigint not null,
  covered   bigint not null,
  primary key (signature, seq)
);
create index if not exists participant_proofs_ending on participant_proofs (ends) where covered = 0 and ends <> 0;
