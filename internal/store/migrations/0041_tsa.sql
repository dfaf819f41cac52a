-- The time-stamping authority: one row with the next serial number to be given and the latest time
-- given when serials were last taken.
create table if not exists tsa_serials (
  id     bigint primary key,
  next   bigint not null,
  latest bigint not null
);
