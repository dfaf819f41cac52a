-- For which organisations a person allowed a service to know them. Consents from before name none, and are asked for again.
create table if not exists oidc_consent_orgs (
  iin text not null,
  client text not null,
  orgs text not null,
  primary key (iin, client)
);
