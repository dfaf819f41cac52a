-- Numbers of the nodes that share the database: one byte of every random serial. The node without a name
-- is the floor that putting an older copy back leaves: numbers up to it may have been given.
create table if not exists ca_instances (
  node text primary key,
  number bigint not null
);
