-- Versions of certificate profiles, and from when until when each was in force (went 0 = it still is).
create table if not exists ca_profiles (
  name text not null,
  digest text not null,
  came bigint not null,
  went bigint not null,
  body blob not null,
  primary key (name, came, digest)
);
create index if not exists ca_profiles_went on ca_profiles (went);
