-- Other programs that may speak to the authority, their requests with the answers they got, and holds
-- that wait for the second voice to be lifted. Empty key ids and certificates are null: many clients
-- have none.
create table if not exists api_clients (
  name text primary key,
  key_id text unique,
  key_hash blob,
  certificate text unique,
  rights text not null,
  profiles text not null,
  networks text not null,
  per_minute bigint not null,
  expires bigint not null,
  disabled bigint not null,
  created bigint not null
);
create table if not exists api_requests (
  client text not null,
  request_key text not null,
  digest blob not null,
  begun bigint not null,
  status bigint not null,
  type text not null,
  body blob,
  primary key (client, request_key)
);
create index if not exists api_requests_begun on api_requests (begun);
create table if not exists api_pending_releases (
  serial text primary key,
  held bigint not null,
  first_client text not null,
  asked bigint not null,
  second_client text not null
);
