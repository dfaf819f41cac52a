-- Sessions of people that have ended, for a day: whoever comes with one again is told why.
create table if not exists auth_ended (
  hash text primary key,
  site text not null,
  reason text not null,
  ended bigint not null
);
create index if not exists auth_ended_ended on auth_ended (ended);
