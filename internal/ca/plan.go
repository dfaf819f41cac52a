package ca

import (
	"crypto/rsa"
	"fmt"
	"net/url"
	"strings"
	"time"

	"senim/algid"
	"senim/pki"
)

// Plan is one root and the issuing authority under it, with its OCSP responder and its
// time-stamping authority.
type Plan struct {
	// Name is short, lower case, and goes into addresses: "gost". The root is named "root_gost".
	Name string
	// Algorithm is algid.GOST512 or algid.RSA.
	Algorithm algid.Key
	// RSABits is 4096 when zero. Tests save seconds with 2048.
	RSABits int
	// RootName and IssuingName are the common names.
	RootName, IssuingName string
	// Organization is written into the certificates of the services.
	Organization string
	// Address is where the responder answers, without a slash at the end: "http://localhost:8082".
	Address string
	// RootPolicy and Policy are dotted OIDs; empty means the national ones. CPS is the address of
	// the statement; empty means http://pki.gov.kz/cps.
	RootPolicy, Policy, CPS string
	// NotBefore is now when zero; demonstrations begin earlier.
	NotBefore time.Time
	// RootYears is 20 when zero, IssuingYears 10.
	RootYears, IssuingYears int
	// Token has the keys of both made in a token.
	Token bool
}

// authorities are the two of a plan.
func (p Plan) authorities() []AuthorityPlan {
	root := AuthorityPlan{Name: rootOf(p.Name), Algorithm: p.Algorithm, CommonName: p.RootName, Policy: p.RootPolicy, CPS: p.CPS,
		NotBefore: p.NotBefore, Years: p.RootYears, PathLength: Unlimited}
	issuing := AuthorityPlan{Name: p.Name, Parent: root.Name, Algorithm: p.Algorithm, CommonName: p.IssuingName, Organization: p.Organization,
		Address: p.Address, Policy: p.Policy, CPS: p.CPS, NotBefore: p.NotBefore, Years: p.IssuingYears}
	if p.Algorithm == algid.RSA {
		root.Bits, issuing.Bits = p.RSABits, p.RSABits
	}
	root.Token, issuing.Token = p.Token, p.Token
	return []AuthorityPlan{root, issuing}
}

// Unlimited is the path length of an authority that may have any number of authorities below.
const Unlimited = -1

// AuthorityPlan is one authority to make. Fields that are empty get their defaults.
type AuthorityPlan struct {
	// Name is short, lower case, and goes into addresses.
	Name string
	// Parent is the name of the authority above, made before or standing before this one; "" is a root.
	Parent string
	// Algorithm is algid.GOST512 or algid.RSA, the same as the parent's. Bits are for RSA: 4096 when zero.
	Algorithm algid.Key
	Bits      int
	// CommonName is its name. Organization is written into the certificates of its services; empty
	// means the common name.
	CommonName, Organization string
	// Address is where status, lists and certificates are published, as "http://pki.example.kz". An
	// authority without one is published where those below it are.
	Address string
	// Policy is a dotted OID and CPS the address of the statement; empty means the national ones.
	Policy, CPS string
	// NotBefore is now when zero. Years is 20 for a root, else 10, when zero; nothing ends after its parent.
	NotBefore time.Time
	Years     int
	// PathLength is how many authorities may stand below: 0 is an issuing authority, [Unlimited] any.
	PathLength int
	// Follows is the authority this one takes over from: it will answer and publish lists, and issue
	// no more. Two roots get certificates by each other.
	Follows string
	// NoTSA leaves the time-stamping authority out.
	NoTSA bool
	// Token has its key, and those of its services, made in a token: Keys is a [Maker]. RSA only.
	Token bool
}

// key is the name of its key.
func (p AuthorityPlan) key() string {
	if p.Token {
		return TokenKey + p.Name
	}
	return p.Name
}

// Issuing reports that it signs certificates of people and not of authorities. Such a key is online.
func (p AuthorityPlan) Issuing() bool { return p.Parent != "" && p.PathLength == 0 }

func (p AuthorityPlan) defaults(now time.Time) AuthorityPlan {
	set := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	policy, years := pki.PolicyNCA.String(), 10
	if p.Parent == "" {
		policy, years = pki.PolicyRoot.String(), 20
	}
	set(&p.Policy, policy)
	set(&p.CPS, "http://pki.gov.kz/cps")
	set(&p.Organization, p.CommonName)
	if p.Years == 0 {
		p.Years = years
	}
	if p.Bits == 0 && p.Algorithm == algid.RSA {
		p.Bits = 4096
	}
	if p.NotBefore.IsZero() {
		p.NotBefore = now
	}
	p.NotBefore = p.NotBefore.UTC().Truncate(time.Second)
	p.Address = strings.TrimSuffix(p.Address, "/")
	return p
}

// PlanError is a mistake in a plan. Field is as in plans: "name", "parent", "algorithm", "bits",
// "common-name", "address", "policy", "cps", "years", "path-length", "follows", "tsa", "token".
type PlanError struct {
	Authority string // its name in the plan
	Field     string
	Why       string
	// Exists says that the name is taken; it matches [ErrExists].
	Exists bool
}

func (e *PlanError) Error() string {
	return fmt.Sprintf("authority %q: %s: %s", e.Authority, e.Field, e.Why)
}

// Is makes a taken name match [ErrExists].
func (e *PlanError) Is(target error) bool { return e.Exists && target == ErrExists }

// check looks at what can be seen without other authorities.
func (p AuthorityPlan) check() error {
	wrong := func(field, format string, args ...any) error {
		return &PlanError{Authority: p.Name, Field: field, Why: fmt.Sprintf(format, args...)}
	}
	rsaBits := p.Bits >= 2048 && p.Bits <= 8192 && p.Bits%1024 == 0
	switch {
	case p.Name == "" || len(p.Name) > 40 || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || strings.HasSuffix(p.Name, "_d"):
		return wrong("name", "%q: up to 40 lower case letters, digits and _ are wanted, and no _d at the end", p.Name)
	case p.Algorithm != algid.GOST512 && p.Algorithm != algid.RSA:
		return wrong("algorithm", "GOST512 or RSA is wanted")
	case p.Algorithm == algid.RSA && !rsaBits, p.Algorithm != algid.RSA && p.Bits != 0:
		return wrong("bits", "%d: RSA keys have 2048, 3072 … 8192 bits, others nothing to choose", p.Bits)
	case strings.TrimSpace(p.CommonName) == "" || len(p.CommonName) > 400:
		return wrong("common-name", "a name is wanted")
	case p.Years < 1 || p.Years > 40:
		return wrong("years", "%d: 1 to 40 are wanted", p.Years)
	case p.PathLength < Unlimited || p.PathLength > 5:
		return wrong("path-length", "%d: 0 to 5 are wanted", p.PathLength)
	case p.Parent == "" && p.PathLength == 0:
		return wrong("path-length", "a root has an authority below it")
	case p.Token && p.Algorithm != algid.RSA:
		return wrong("token", "only RSA keys are made in a token")
	case p.NoTSA && !p.Issuing():
		return wrong("tsa", "only issuing authorities have services")
	case !plainURL(p.CPS):
		return wrong("cps", "%q is no http address", p.CPS)
	case p.Address == "" && p.Issuing(), p.Address != "" && !plainURL(p.Address):
		return wrong("address", "%q is no http address", p.Address)
	}
	if _, err := pki.ParseOID(p.Policy); err != nil {
		return wrong("policy", "%v", err)
	}
	return nil
}

func plainURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.RawQuery == "" && u.Fragment == "" && !strings.ContainsAny(s, " \t\r\n*")
}

// against looks at a plan beside the authorities that are known when it is made.
func (p AuthorityPlan) against(known map[string]*party) error {
	wrong := func(field, format string, args ...any) error {
		return &PlanError{Authority: p.Name, Field: field, Why: fmt.Sprintf(format, args...)}
	}
	if known[p.Name] != nil {
		return &PlanError{Authority: p.Name, Field: "name", Why: "the name is taken", Exists: true}
	}
	if p.Parent != "" {
		up := known[p.Parent]
		switch {
		case up == nil:
			return wrong("parent", "%q is neither recorded here nor planned before this one", p.Parent)
		case up.algorithm() != p.Algorithm:
			return wrong("algorithm", "%s under %s, which has a %s key", p.Algorithm, p.Parent, up.algorithm())
		case up.retired:
			return wrong("parent", "%s issues no more", p.Parent)
		case up.pathLength() != Unlimited && (p.PathLength == Unlimited || p.PathLength >= up.pathLength()):
			return wrong("path-length", "%s allows less below it", p.Parent)
		}
	}
	old := known[p.Follows]
	switch {
	case p.Follows == "":
	case old == nil || old.plan != nil:
		return wrong("follows", "no authority %q was made before", p.Follows)
	case old.retired:
		return wrong("follows", "%s has a follower already", p.Follows)
	case old.algorithm() != p.Algorithm || (old.parent == "") != (p.Parent == "") || old.issuing() != p.Issuing():
		return wrong("follows", "%s is of another kind", p.Follows)
	}
	for _, o := range known {
		if o.commonName() == p.CommonName {
			return wrong("common-name", "%s is named so already", o.name)
		}
		if p.Issuing() && o.issuing() && !o.retired && o.algorithm() == p.Algorithm && o.name != p.Follows {
			return wrong("follows", "%s issues for %s keys already: say that this one follows it", o.name, p.Algorithm)
		}
	}
	return nil
}

// party is an authority in a ceremony: recorded before, or planned and then made.
type party struct {
	name, parent string
	plan         *AuthorityPlan   // nil when it was recorded before
	cert         *pki.Certificate // nil until it is made
	settings     Settings
	keyName      string
	open         keyHolder
	retired      bool
	signers      []SignerRecord
}

func (a *party) algorithm() algid.Key {
	if a.cert != nil {
		return a.cert.Key
	}
	return a.plan.Algorithm
}

func (a *party) pathLength() int {
	if a.cert != nil {
		return a.cert.MaxPathLen
	}
	return a.plan.PathLength
}

func (a *party) commonName() string {
	if a.cert != nil {
		return a.cert.Subject.Get(pki.OIDCommonName)
	}
	return a.plan.CommonName
}

func (a *party) issuing() bool { return a.parent != "" && a.pathLength() == 0 }

// bits is the length of an RSA key, else 0.
func (a *party) bits() int {
	if a.cert == nil {
		return a.plan.Bits
	}
	if k, ok := a.cert.PublicKey.(*rsa.PublicKey); ok {
		return k.N.BitLen()
	}
	return 0
}
