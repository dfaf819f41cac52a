-- What is left open after a crash is found without looking at what was issued: finished certificates, which
-- are nearly all, stand in no index by state.
drop index if exists ca_certificates_state;
create index if not exists ca_certificates_intended on ca_certificates (serial) where state = 'intended';
