-- As what a participant signed an agreement: one number may be a person's own, a sole proprietor's and a notary's, and
-- each signs for itself. Of what was signed before, what can be told; for the rest it is signed again.
create table if not exists participant_signature_types (
  signature text primary key,
  type      text not null
);
insert into participant_signature_types (signature, type)
  select s.id, min(p.type) from participant_signatures s
  join participant_signature_holders h on h.signature = s.id
  join participant_profiles p on p.iin = h.iin and p.tin = h.tin and p.type not in ('USER', 'ENTREPRENEUR_USER', 'LAWYER_USER', 'BAILIFF_USER', 'MEDIATOR_USER', 'NOTARY_USER')
  left join participant_registrations r on r.id = s.registration
  where r.id is null or r.category = p.category
  group by s.id having count(*) = 1
  on conflict (signature) do nothing;
