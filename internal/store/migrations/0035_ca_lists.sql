-- Revocations with what lists need to be written from them alone: the divided list a certificate
-- stands on ("8-3" is the fourth of eight, "" none), when the revocation was recorded, and until when
-- an entry is kept. Takes the place of ca_revocations, which is gone so that nothing reads it by
-- mistake.
create table if not exists ca_revocations (
  serial text primary key,
  ca text not null,
  epoch bigint not null,
  revoked_at bigint not null,
  reason bigint not null,
  invalidity bigint not null,
  revoked_by text not null
);
create table if not exists ca_revoked (
  serial text primary key,
  ca text not null,
  shard text not null,
  epoch bigint not null,
  revoked_at bigint not null,
  recorded bigint not null,
  reason bigint not null,
  invalidity bigint not null,
  kept bigint not null,
  revoked_by text not null
);
create unique index if not exists ca_revoked_epoch on ca_revoked (ca, epoch);
create index if not exists ca_revoked_shard on ca_revoked (ca, shard, epoch);
insert into ca_revoked (serial, ca, shard, epoch, revoked_at, recorded, reason, invalidity, kept, revoked_by)
  select r.serial, r.ca, '', r.epoch, r.revoked_at, r.revoked_at, r.reason, r.invalidity,
    coalesce((select case when c.not_after > r.revoked_at then c.not_after else r.revoked_at end
      from ca_certificates c where c.serial = r.serial and c.not_after > 0), 253402300799000), r.revoked_by
  from ca_revocations r where true on conflict do nothing;
drop table ca_revocations;
-- Published lists, of one authority by what they cover. Older ones are kept without their bytes, for
-- deltas refer to them. Takes the place of ca_lists.
create table if not exists ca_lists (
  ca text not null,
  delta bigint not null,
  number bigint not null,
  base bigint not null,
  epoch bigint not null,
  scheduled bigint not null,
  this_update bigint not null,
  next_update bigint not null,
  raw blob not null,
  primary key (ca, delta, number)
);
create table if not exists ca_published (
  ca text not null,
  shard text not null,
  delta bigint not null,
  number bigint not null,
  base bigint not null,
  epoch bigint not null,
  scheduled bigint not null,
  this_update bigint not null,
  next_update bigint not null,
  size bigint not null,
  raw blob not null,
  primary key (ca, shard, delta, number)
);
insert into ca_published (ca, shard, delta, number, base, epoch, scheduled, this_update, next_update, size, raw)
  select ca, '', delta, number, base, epoch, scheduled, this_update, next_update, length(raw), raw
  from ca_lists where true on conflict do nothing;
drop table ca_lists;
-- What ends soon is read in pages, by end and serial.
create index if not exists ca_certificates_end on ca_certificates (not_after, serial);
drop index if exists ca_certificates_not_after;
