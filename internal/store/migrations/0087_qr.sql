-- Requests for signatures on a phone: found by their handle or by the hash of their id; what is asked and
-- what was answered is sealed.
create table if not exists qr_requests (
  handle  text   primary key,
  code    text   not null,
  token   text   not null,
  session text   not null,
  site    text   not null,
  state   text   not null,
  content blob   not null,
  made    bigint not null,
  expires bigint not null,
  signed  bigint not null
);
create unique index if not exists qr_requests_code on qr_requests (code);
create index if not exists qr_requests_expires on qr_requests (expires);
