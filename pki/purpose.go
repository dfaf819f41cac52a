package pki

import "senim/algid"

// ForSigning reports whether documents may be signed with the key: keyUsage nonRepudiation, a leaf,
// and either emailProtection (classic signing, combined GOST512) or a role without clientAuth
// (information systems).
func (c *Certificate) ForSigning() bool {
	if c.IsCA || c.KeyUsage&NonRepudiation == 0 {
		return false
	}
	return c.HasUsage(EmailProtection) || c.hasRole() && !c.HasUsage(ClientAuth)
}

// ForSignIn reports whether the key may be used to sign in: a classic certificate with clientAuth
// and digitalSignature, or a combined GOST512 one (policy 1.2.398.3.3.2, emailProtection and a
// role, no clientAuth), which serves both.
func (c *Certificate) ForSignIn() bool {
	if c.IsCA || c.KeyUsage&DigitalSignature == 0 {
		return false
	}
	return c.HasUsage(ClientAuth) || c.combined()
}

func (c *Certificate) combined() bool {
	return c.Key == algid.GOST512 && c.HasPolicy(PolicyNCA) && c.HasUsage(EmailProtection) && c.hasRole()
}

func (c *Certificate) hasRole() bool {
	for _, oid := range c.ExtKeyUsage {
		if _, ok := RoleByOID(oid); ok {
			return true
		}
	}
	return false
}
