package pkitest

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"

	"senim/algid"
	"senim/pki"
)

// Spec is a certificate to be issued. Zero fields get what the national PKI would write for the
// combined GOST512 certificate of an individual.
type Spec struct {
	Kind      algid.Key     // of the key; default GOST512
	Key       crypto.Signer // default: a new one of Kind
	Holder    pki.Holder    // Roles are written; default: a person with invented numbers
	Use       Use
	NotBefore time.Time // default: a day before Now
	NotAfter  time.Time // default: 365 days later
	Serial    *big.Int  // default: random
	// Change is called with the finished template, for what the fields above cannot say.
	Change func(*pki.Template)
}

// Use says what the certificate is for.
type Use int

// The uses.
const (
	Combined      Use = iota // sign-in and signing: GOST512 since 2022
	ClassicSign              // signing only: the old GOST or RSA file
	ClassicSignIn            // sign-in only: the old AUTH_RSA file
)

// Person is the invented individual certificates go to by default.
func Person() pki.Holder {
	return pki.Holder{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", Given: "ТЕСТОВИЧ", IIN: "123456789011",
		Email: "test@example.kz", Roles: []pki.Role{pki.RoleIndividual}}
}

// Member is the same person in an invented company, with a role besides [pki.RoleLegal].
func Member(role pki.Role) pki.Holder {
	h := Person()
	h.Organization, h.BIN = `АО "ТЕСТ"`, "123456789021"
	h.Roles = []pki.Role{pki.RoleLegal, role}
	return h
}

// Individual issues the combined certificate of a person.
func (a *Authority) Individual() *Leaf { return a.Issue(Spec{}) }

// Head issues the combined certificate of a first head.
func (a *Authority) Head() *Leaf { return a.Issue(Spec{Holder: Member(pki.RoleFirstHead)}) }

// SignRight issues the combined certificate of an employee who may sign.
func (a *Authority) SignRight() *Leaf { return a.Issue(Spec{Holder: Member(pki.RoleSignRight)}) }

// Employee issues the combined certificate of an employee.
func (a *Authority) Employee() *Leaf { return a.Issue(Spec{Holder: Member(pki.RoleEmployee)}) }

// Operator issues the combined certificate of an operator of the authority.
func (a *Authority) Operator() *Leaf { return a.Issue(Spec{Holder: Member(pki.RoleOperator)}) }

// InfoSystem issues the certificate of an information system: no person, no emailProtection.
func (a *Authority) InfoSystem() *Leaf {
	return a.Issue(Spec{Holder: pki.Holder{UID: "1.2.398.3.14.1.1", CommonName: "ИС ТЕСТ", Organization: `АО "ТЕСТ"`,
		BIN: "123456789021", Roles: []pki.Role{pki.RoleLegal, pki.RoleInfoSystem}},
		Change: func(t *pki.Template) { t.ExtKeyUsage = t.ExtKeyUsage[1:] }})
}

// ClassicPair issues the old pair of RSA certificates of a person: signing, and sign-in.
func (a *Authority) ClassicPair(h pki.Holder) (sign, signIn *Leaf) {
	sign = a.Issue(Spec{Kind: algid.RSA, Key: newKey(a.t, algid.RSA, "leaf"), Holder: h, Use: ClassicSign})
	signIn = a.Issue(Spec{Kind: algid.RSA, Key: newKey(a.t, algid.RSA, "auth"), Holder: h, Use: ClassicSignIn})
	return sign, signIn
}

// Expired issues the certificate of an individual that ended a day before Now.
func (a *Authority) Expired() *Leaf {
	return a.Issue(Spec{NotBefore: a.Now.AddDate(-1, 0, -1), NotAfter: a.Now.AddDate(0, 0, -1)})
}

// NotYetValid issues the certificate of an individual that begins a day after Now.
func (a *Authority) NotYetValid() *Leaf {
	return a.Issue(Spec{NotBefore: a.Now.AddDate(0, 0, 1), NotAfter: a.Now.AddDate(1, 0, 1)})
}

// Foreign issues the certificate of an individual under an authority nobody trusts, which has the
// same names as this one.
func (a *Authority) Foreign() *Leaf {
	a.t.Helper()
	other := &Authority{Now: a.Now, t: a.t}
	other.RootKey, other.CAKey = newKey(a.t, algid.KeyOf(a.RootKey.Public()), "foreign root"), newKey(a.t, algid.KeyOf(a.CAKey.Public()), "foreign ca")
	other.Root = other.authority(a.Root.Subject.Get(pki.OIDCommonName), other.RootKey, nil, nil)
	other.CA = other.authority(a.CA.Subject.Get(pki.OIDCommonName), other.CAKey, other.Root, other.RootKey)
	return other.Issue(Spec{})
}

// Issue signs a certificate with the issuing CA.
func (a *Authority) Issue(s Spec) *Leaf {
	a.t.Helper()
	if s.Key == nil {
		if s.Kind == 0 {
			s.Kind = algid.GOST512
		}
		s.Key = newKey(a.t, s.Kind, "leaf")
	}
	if s.Holder.CommonName == "" {
		s.Holder = Person()
	}
	if s.NotBefore.IsZero() {
		s.NotBefore = a.Now.AddDate(0, 0, -1)
	}
	if s.NotAfter.IsZero() {
		s.NotAfter = s.NotBefore.AddDate(0, 0, 365)
	}
	if s.Serial == nil {
		s.Serial = randomSerial(a.t)
	}
	t := a.template(s)
	if s.Change != nil {
		s.Change(t)
	}
	return &Leaf{Certificate: a.create(t, a.CAKey), Key: s.Key}
}

func (a *Authority) template(s Spec) *pki.Template {
	t := &pki.Template{
		Serial: s.Serial, RawIssuer: a.CA.RawSubject, AuthorityKeyID: a.CA.SubjectKeyID,
		Subject: pki.SubjectName(s.Holder), NotBefore: s.NotBefore, NotAfter: s.NotAfter,
		PublicKey: s.Key.Public(), Storage: pki.StoragePKCS12,
		CRL: []string{"http://crl.example.kz/test.crl"}, DeltaCRL: []string{"http://crl.example.kz/test_d.crl"},
		OCSP: []string{"http://ocsp.example.kz"}, Issuers: []string{"http://pki.example.kz/cert/test.cer"},
	}
	if s.Holder.Email != "" {
		t.Emails = []string{s.Holder.Email}
	}
	t.KeyUsage = pki.DigitalSignature | pki.NonRepudiation | pki.KeyAgreement
	first, policy := pki.EmailProtection, pki.PolicyNCA
	legal := s.Holder.BIN != ""
	switch s.Use {
	case ClassicSign:
		t.KeyUsage, policy = pki.DigitalSignature|pki.NonRepudiation, pki.PolicyIndividualSign
		if legal {
			policy = pki.PolicyLegalSign
		}
	case ClassicSignIn:
		t.KeyUsage, first, policy = pki.DigitalSignature|pki.KeyEncipherment, pki.ClientAuth, pki.PolicyIndividualSignIn
		if legal {
			policy = pki.PolicyLegalSignIn
		}
	case Combined:
	}
	t.ExtKeyUsage = []asn1.ObjectIdentifier{first}
	for _, r := range s.Holder.Roles {
		t.ExtKeyUsage = append(t.ExtKeyUsage, r.OID())
	}
	t.Policies = []pki.Policy{{OID: policy, CPS: "http://pki.example.kz/cps"}}
	return t
}
