-- When a revocation was last changed, if it was: lists that do not know it are held against this.
create table if not exists ca_changes (
  serial text   primary key,
  moment bigint not null
);
