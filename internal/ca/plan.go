package ca

import (
	"strings"
	"time"

	"senim/algid"
	"senim/pki"
)

// Plan is one root and the issuing authority under it, with its OCSP responder.
type Plan struct {
	// Name is short, lower case, and goes into addresses: "gost". The root is named "root_gost".
	Name string
	// Algorithm is algid.GOST512 or algid.RSA.
	Algorithm algid.Key
	// RSABits is 4096 when zero. Tests save seconds with 2048.
	RSABits int
	// RootName and IssuingName are the common names.
	RootName, IssuingName string
	// Organization is written into the responder's certificate.
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
}

func (p Plan) defaults(now time.Time) Plan {
	set := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	set(&p.RootPolicy, pki.PolicyRoot.String())
	set(&p.Policy, pki.PolicyNCA.String())
	set(&p.CPS, "http://pki.gov.kz/cps")
	set(&p.Organization, p.IssuingName)
	if p.RSABits == 0 {
		p.RSABits = 4096
	}
	if p.RootYears == 0 {
		p.RootYears = 20
	}
	if p.IssuingYears == 0 {
		p.IssuingYears = 10
	}
	if p.NotBefore.IsZero() {
		p.NotBefore = now
	}
	p.NotBefore = p.NotBefore.UTC().Truncate(time.Second)
	p.Address = strings.TrimSuffix(p.Address, "/")
	return p
}
