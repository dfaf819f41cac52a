-- What the portal as an OpenID Connect provider keeps: requests of services that wait for a person,
-- consents, tokens by the hashes of what clients hold, and the keys that sign ID tokens, sealed.
create table if not exists oidc_requests (
  id text primary key,
  browser text not null,
  client text not null,
  query text not null,
  certificate blob not null,
  made bigint not null,
  ended bigint not null,
  proved bigint not null
);
create index if not exists oidc_requests_browser on oidc_requests (browser, made);
create index if not exists oidc_requests_made on oidc_requests (made);
create table if not exists oidc_consents (
  iin text not null,
  client text not null,
  scopes text not null,
  made bigint not null,
  used bigint not null,
  primary key (iin, client)
);
create table if not exists oidc_tokens (
  kind text not null,
  hash text not null,
  family text not null,
  client text not null,
  iin text not null,
  bin text not null,
  serial text not null,
  fingerprint text not null,
  data blob not null,
  made bigint not null,
  expires bigint not null,
  used bigint not null,
  primary key (kind, hash)
);
create index if not exists oidc_tokens_family on oidc_tokens (family);
create index if not exists oidc_tokens_iin on oidc_tokens (iin, client);
create index if not exists oidc_tokens_fingerprint on oidc_tokens (fingerprint);
create index if not exists oidc_tokens_serial on oidc_tokens (serial);
create index if not exists oidc_tokens_expires on oidc_tokens (expires);
create table if not exists oidc_keys (
  number bigint primary key,
  sealed blob not null,
  begins bigint not null
);
