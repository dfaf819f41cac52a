-- When a revocation was last changed: lists that do not know it are held against this. 0: before this was noted; then the
-- moment of recording counts.
alter table ca_revoked add column changed bigint not null default 0;
