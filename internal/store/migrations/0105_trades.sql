-- What sole proprietors and practitioners head is an enterprise too: those who registered before have no row yet.
insert into participant_enterprises (tin, name, category, head_office, record, blocked, blocked_reason, updated)
select tin, name, category, '', '', 0, '', since from participant_profiles
where type in ('ENTREPRENEUR', 'LAWYER', 'BAILIFF', 'MEDIATOR', 'NOTARY')
on conflict (tin) do nothing;
