-- Staged rows come again when the database loses them: they need no log.
alter table registry_stage_entity set unlogged;
alter table registry_stage_leader set unlogged;
alter table registry_stage_person set unlogged;
alter table registry_stage_contact set unlogged;
alter table registry_stage_taxpayer set unlogged;
alter table registry_stage_account set unlogged;
alter table registry_stage_bank set unlogged;
alter table registry_stage_calendar set unlogged;
