-- Sessions of which nobody has signed in yet are found by no person and no certificate.
drop index if exists auth_sessions_iin;
drop index if exists auth_sessions_serial;
create index if not exists auth_sessions_person on auth_sessions (iin) where iin <> '';
create index if not exists auth_sessions_certificate on auth_sessions (serial) where serial <> '';
