-- A person may have several profiles of one number: a block of one of them ends what acts as it, and nothing else.
-- Rows of before have no profile and are ended by the number.
alter table auth_sessions add column profile text not null default '';
alter table oidc_tokens add column profile text not null default '';
