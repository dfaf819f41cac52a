package profile

import (
	"encoding/asn1"

	"senim/algid"
	"senim/pki"
)

// Key usages of crypto.md §9, and those of services and authorities.
const (
	combined = pki.DigitalSignature | pki.NonRepudiation | pki.KeyAgreement // c8
	signing  = pki.DigitalSignature | pki.NonRepudiation                    // c0
	signIn   = pki.DigitalSignature | pki.KeyEncipherment                   // a0
	signOnly = pki.DigitalSignature                                         // 80
	certify  = pki.CertSign | pki.CRLSign                                   // 06
)

// Policies of the Treasury's classic pair (crypto.md §17).
var (
	treasurySign   = asn1.ObjectIdentifier{1, 2, 398, 5, 19, 1, 2, 2, 2}
	treasurySignIn = asn1.ObjectIdentifier{1, 2, 398, 5, 19, 1, 2, 2, 3}
)

// Subjects of crypto.md §8, row by row.
var (
	personSubject   = parts("cn", "surname", "iin", "country", "given?")
	memberSubject   = parts("cn", "surname", "iin", "country", "organization", "bin", "given?")
	systemSubject   = parts("uid?", "cn", "country", "organization", "bin")
	ownSystem       = parts("uid?", "cn", "iin", "country")
	treasurySubject = parts("dc", "cn", "surname", "iin", "country", "organization", "bin", "category", "given?")
	serviceSubject  = parts("cn", "country", "organization")
	caSubject       = parts("cn", "country")
)

func parts(names ...string) (all []Part) {
	for _, n := range names {
		all = append(all, partOf(n))
	}
	return all
}

// role is a person's role, of which there are three profiles: the combined GOST512 certificate under
// its plain name, and the classic pair "-auth" and "-sign".
type role struct {
	name, title  string
	roles        []pki.Role
	subject      []Part
	sign, signIn asn1.ObjectIdentifier // policies of the classic pair
}

func legalRole(name, title string, r ...pki.Role) role {
	return role{name, title, r, memberSubject, pki.PolicyLegalSign, pki.PolicyLegalSignIn}
}

func personRole(name, title string) role {
	return role{name, title, []pki.Role{pki.RoleIndividual}, personSubject, pki.PolicyIndividualSign, pki.PolicyIndividualSignIn}
}

// roles of persons. A sole proprietor signs as the individual he is: the same name and role, since
// his business is known by the same IIN; a profile of its own lets an installation give other terms.
func roles() []role {
	treasury := legalRole("treasury", "client of Treasury K2", pki.RoleLegal, pki.RoleTreasury)
	treasury.subject, treasury.sign, treasury.signIn = treasurySubject, treasurySign, treasurySignIn
	return []role{
		personRole("individual", "individual"),
		personRole("sole-proprietor", "sole proprietor"),
		legalRole("head", "first head of a legal entity", pki.RoleLegal, pki.RoleFirstHead),
		legalRole("sign-right", "employee with the right to sign", pki.RoleLegal, pki.RoleSignRight),
		legalRole("finance", "employee with the right to sign financial documents", pki.RoleLegal, pki.RoleFinance),
		legalRole("hr", "employee of the personnel department", pki.RoleLegal, pki.RoleHR),
		legalRole("employee", "employee", pki.RoleLegal, pki.RoleEmployee),
		legalRole("operator", "operator of the authority", pki.RoleOperator),
		legalRole("manager", "manager of the authority", pki.RoleManager),
		legalRole("administrator", "administrator of the authority", pki.RoleAdministrator),
		treasury,
	}
}

// NCA is the national set, a fresh copy each time.
func NCA() Set {
	all := Set{}
	add := func(p Profile) { all[p.Name] = p }
	for _, r := range roles() {
		for _, p := range r.profiles() {
			add(p)
		}
	}
	for _, p := range systems() {
		add(p)
	}
	for _, p := range services() {
		add(p)
	}
	return all
}

func (r role) profiles() []Profile {
	base := Profile{Kind: Holder, Subject: r.subject, FileDays: 365, CarrierDays: 1095, Serial: SerialNCA, Email: Optional, Identity: true}
	one := base
	one.Name, one.Title, one.Usage = r.name, r.title, usages(pki.EmailProtection, r.roles...)
	one.Keys, one.KeyUsage, one.Policies, one.Storage = keys(algid.GOST512), combined, []Policy{{}}, true
	auth := base
	auth.Name, auth.Title, auth.Usage = r.name+"-auth", r.title+", classic sign-in", usages(pki.ClientAuth, r.roles...)
	auth.Keys, auth.KeyUsage, auth.Policies = keys(algid.RSA), signIn, []Policy{{OID: r.signIn, Notice: true}}
	sign := base
	sign.Name, sign.Title, sign.Usage = r.name+"-sign", r.title+", classic signing", usages(pki.EmailProtection, r.roles...)
	sign.Keys, sign.KeyUsage, sign.Policies = keys(algid.RSA, algid.GOST512), signing, []Policy{{OID: r.sign, Notice: true}}
	return []Profile{one, auth, sign}
}

// systems have no purpose beside their roles (crypto.md §9).
func systems() []Profile {
	system := Profile{
		Kind: Holder, Name: "info-system", Title: "information system", Subject: systemSubject, Keys: keys(algid.GOST512),
		Usage: usages(nil, pki.RoleLegal, pki.RoleInfoSystem), KeyUsage: combined, Policies: []Policy{{}},
		FileDays: 1095, CarrierDays: 1095, Storage: true, Serial: SerialNCA, Email: Optional, Identity: true,
	}
	registered := system
	registered.Name, registered.Title = "info-system-registered", "registered information system, role 4.1.2.6.N"
	registered.Usage, registered.Registered = usages(nil, pki.RoleLegal), true
	own := system
	own.Name, own.Title = "individual-system", "information system of an individual"
	own.Subject, own.Usage = ownSystem, usages(nil, pki.RoleIndividual, pki.RoleIndividualSystem)
	return []Profile{system, registered, own}
}

func services() []Profile {
	own, any := []Policy{{}}, keys(algid.GOST512, algid.RSA)
	return []Profile{
		{Kind: Responder, Name: "ocsp", Title: "OCSP responder", Subject: serviceSubject, Keys: any, Usage: usages(pki.OCSPSigning), KeyUsage: signOnly,
			FileDays: 365, CarrierDays: 365, Serial: SerialRandom, Email: Never},
		{Kind: TSA, Name: "tsa", Title: "time-stamping authority", Subject: serviceSubject, Keys: any, Usage: usages(pki.TimeStamping), KeyUsage: signOnly,
			Policies: []Policy{{OID: pki.PolicyTSA}}, FileDays: 1095, CarrierDays: 1095, Serial: SerialRandom, Email: Never},
		{Kind: Authority, Name: "authority", Title: "issuing authority under a root", Subject: caSubject, Keys: any, KeyUsage: certify, Policies: own,
			FileDays: 9131, CarrierDays: 9131, Serial: SerialRandom, Email: Never},
		{Kind: SubAuthority, Name: "sub-authority", Title: "authority under an issuing authority", Subject: caSubject, Keys: any, KeyUsage: certify,
			Policies: own, FileDays: 3653, CarrierDays: 3653, Serial: SerialRandom, Email: Never},
	}
}

func keys(kinds ...algid.Key) (all []Key) {
	for _, k := range kinds {
		one := Key{Kind: k}
		if k == algid.RSA {
			one.MinBits, one.MaxBits = minRSA, maxRSA
		}
		all = append(all, one)
	}
	return all
}

func usages(purpose asn1.ObjectIdentifier, roles ...pki.Role) (ids []asn1.ObjectIdentifier) {
	if purpose != nil {
		ids = append(ids, purpose)
	}
	for _, r := range roles {
		ids = append(ids, r.OID())
	}
	return ids
}
