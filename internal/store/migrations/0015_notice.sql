-- Every stage of reminders of every key set is looked at once.
create table if not exists reminder (
  key_set  text   not null,
  stage    text   not null,
  examined bigint not null,
  primary key (key_set, stage)
);
