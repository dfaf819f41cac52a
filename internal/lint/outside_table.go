package lint

// OutsideNotApplied is the rules of zlint that are not asked, each with its reason.
func OutsideNotApplied() []NotApplied {
	return []NotApplied{
		{Name: "CABF_CS_BR", Source: true, Why: "code signing: no such certificates are issued"},
		{Name: "CABF_EV", Source: true, Why: "extended validation of web servers: no such certificates are issued"},
		{Name: "CABF_SMIME_BR", Source: true, Why: "its names, policies and lives are those of publicly trusted mail, not of the national profiles (crypto.md §8, §9)"},
		{Name: "Apple", Source: true, Why: "about web servers and their logs"},
		{Name: "Chrome", Source: true, Why: "about web servers and their logs"},
		{Name: "RFC6962", Source: true, Why: "about the timestamps of logs within certificates; ours are told of beside them"},

		{Name: "e_ca_organization_name_missing", Why: "authorities are named by CN and C, as the national ones (crypto.md §6)"},
		{Name: "e_invalid_ca_certificate_policies", Why: "asks for the policies of web servers; ours are national (crypto.md §6)"},
		{Name: "e_mp_authority_key_identifier_correct", Why: "the national authority's AKI holds key, issuer and serial (crypto.md §6)"},
		{Name: "w_root_ca_contains_cert_policy", Why: "the national root names its policy, 1.2.398.3.1.2 (crypto.md §6)"},
		{Name: "e_key_usage_and_extended_key_usage_inconsistent", Why: "national sign-in keys have keyEncipherment with clientAuth (crypto.md §9)"},
	}
}
