-- SQLite looks keys up one by one; PostgreSQL joins whole tables and needs no index for it.
create index if not exists registry_stage_person_key on registry_stage_person (key);
create index if not exists registry_stage_contact_key on registry_stage_contact (key);
create index if not exists registry_stage_taxpayer_key on registry_stage_taxpayer (key);
create index if not exists registry_stage_account_key on registry_stage_account (key);
create index if not exists registry_stage_bank_key on registry_stage_bank (key);
create index if not exists registry_stage_calendar_key on registry_stage_calendar (key);
