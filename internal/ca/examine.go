package ca

import (
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"senim/algid"
	"senim/pki"
)

// maxCSR bounds a request before it is parsed, in bytes.
const maxCSR = 16 << 10

// examine turns an order into a draft, or says why it will never be one.
func (s *Service) examine(o Order) (*draft, error) {
	if o.ID == "" || len(o.ID) > 100 {
		return nil, &Refusal{CodeProfileUnknown, "an order has an ID of 1 to 100 bytes"}
	}
	p, ok := FindProfile(o.Profile)
	if !ok {
		return nil, &Refusal{CodeProfileUnknown, fmt.Sprintf("no profile %q", o.Profile)}
	}
	req, err := s.provedRequest(o.CSR)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.Keys, req.Key) {
		return nil, &Refusal{CodeKeyUnsuitable, fmt.Sprintf("profile %s is not given to %s keys", p.Name, req.Key)}
	}
	a, ok := s.issuer(req.Key)
	if !ok {
		return nil, &Refusal{CodeKeyUnsuitable, fmt.Sprintf("there is no authority for %s keys", req.Key)}
	}
	if err := o.Subject.check(p); err != nil {
		return nil, err
	}
	from, to, err := s.dates(o, p, a)
	if err != nil {
		return nil, err
	}
	return s.draft(o, p, a, req, from, to)
}

// provedRequest parses a request and checks that the asker holds the private key.
func (s *Service) provedRequest(der []byte) (*pki.Request, error) {
	if len(der) > maxCSR {
		return nil, &Refusal{CodeCSRInvalid, fmt.Sprintf("request of %d bytes, at most %d", len(der), maxCSR)}
	}
	req, err := pki.ParseRequest(der)
	if err != nil {
		return nil, &Refusal{CodeCSRInvalid, err.Error()}
	}
	if err := s.proofs.request(req); err != nil {
		return nil, &Refusal{CodeCSRInvalid, "possession of the key is not proved: " + err.Error()}
	}
	return req, nil
}

// check asks for what the profile's subject has (crypto.md §8); lint looks at the rest.
func (s Subject) check(p Profile) error {
	number := func(v string) bool { return len(v) == 12 && strings.Trim(v, "0123456789") == "" }
	wrong := func(why string) error { return &Refusal{CodeSubjectInvalid, why} }
	system := slices.Contains(p.Roles, pki.RoleInfoSystem)
	legal := !slices.Contains(p.Roles, pki.RoleIndividual)
	switch {
	case s.CommonName == "":
		return wrong("no common name")
	case system && (s.IIN != "" || s.Surname != "" || s.Patronymic != ""):
		return wrong("a system is no person")
	case !system && (s.UID != "" || !number(s.IIN) || s.Surname == ""):
		return wrong("a person has a surname and an IIN of 12 digits, and no UID")
	case legal && (!number(s.BIN) || s.Organization == ""):
		return wrong("an organisation and a BIN of 12 digits are wanted")
	case !legal && (s.BIN != "" || s.Organization != ""):
		return wrong("a private person's certificate names no organisation")
	}
	return nil
}

// dates chooses the life of the certificate.
func (s *Service) dates(o Order, p Profile, a *authority) (from, to time.Time, err error) {
	if (!o.NotBefore.IsZero() || !o.NotAfter.IsZero()) && !s.allowDates {
		return from, to, &Refusal{CodeDatesInvalid, "dates are not for the asker to choose"}
	}
	if from = o.NotBefore.UTC().Truncate(time.Second); o.NotBefore.IsZero() {
		from = s.whole()
	}
	if to = o.NotAfter.UTC().Truncate(time.Second); o.NotAfter.IsZero() {
		to = from.AddDate(0, 0, p.days(o.Storage))
	}
	if !from.Before(to) || from.Before(a.cert.NotBefore) || to.After(a.cert.NotAfter) {
		return from, to, &Refusal{CodeDatesInvalid, fmt.Sprintf("%s to %s does not fit into the life of the authority, %s to %s",
			from.Format(time.DateOnly), to.Format(time.DateOnly), a.cert.NotBefore.Format(time.DateOnly), a.cert.NotAfter.Format(time.DateOnly))}
	}
	return from, to, nil
}

func (s *Service) draft(o Order, p Profile, a *authority, req *pki.Request, from, to time.Time) (*draft, error) {
	sig, err := signatureOf(a.cert)
	if err != nil {
		return nil, err
	}
	serial, err := keySerial(req.PublicKey)
	if err != nil {
		return nil, &Refusal{CodeKeyUnsuitable, err.Error()}
	}
	policy, err := a.policy(p.Policy)
	if err != nil {
		return nil, err
	}
	storage := o.Storage
	if len(storage) == 0 {
		storage = pki.StoragePKCS12
	}
	t := &pki.Template{
		Signature: sig, Serial: new(big.Int).SetBytes(serial), RawIssuer: a.cert.RawSubject,
		Subject: pki.SubjectName(pki.Holder{
			CommonName: o.Subject.CommonName, Surname: o.Subject.Surname, Given: o.Subject.Patronymic, IIN: o.Subject.IIN,
			BIN: o.Subject.BIN, Organization: o.Subject.Organization, UID: o.Subject.UID,
		}),
		NotBefore: from, NotAfter: to, PublicKey: req.PublicKey,
		KeyUsage: p.KeyUsage, ExtKeyUsage: p.usages(o.Identity), Policies: policy,
		AuthorityKeyID: a.cert.SubjectKeyID,
		CRL:            a.settings.CRL, DeltaCRL: a.settings.DeltaCRL, OCSP: a.settings.OCSP, Issuers: a.settings.Issuers,
	}
	if p.KeyUsage == combinedUsage { // the classic set has no such extension (crypto.md §9)
		t.Storage = storage
	}
	if o.Subject.Email != "" {
		t.Emails = []string{o.Subject.Email}
	}
	r := Record{
		CA: a.name, Serial: serialHex(serial), Order: o.ID, Profile: p.Name, Key: keyHash(req.RawSPKI), State: Reserved,
		IIN: o.Subject.IIN, BIN: o.Subject.BIN, Name: o.Subject.CommonName, Replaces: o.Replaces,
		NotBefore: from, NotAfter: to, Created: s.now(),
	}
	return &draft{issuer: a, template: t, record: r, days: p.days(o.Storage)}, nil
}

// policy is the profile's policy or the authority's own, with the address of the statement.
func (a *authority) policy(id asn1.ObjectIdentifier) ([]pki.Policy, error) {
	if id == nil {
		own, err := parseOID(a.settings.Policy)
		if err != nil {
			return nil, fmt.Errorf("authority %s: policy: %w", a.name, err)
		}
		id = own
	}
	return []pki.Policy{{OID: id, CPS: a.settings.CPS}}, nil
}

// signatureOf is the algorithm a certificate's key signs with.
func signatureOf(cert *pki.Certificate) (algid.Signature, error) {
	return algid.SignatureFor(cert.PublicKey)
}

func parseOID(s string) (asn1.ObjectIdentifier, error) {
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(s, ".") {
		var n int
		if _, err := fmt.Sscanf(part, "%d", &n); err != nil || n < 0 {
			return nil, fmt.Errorf("object identifier %q", s)
		}
		id = append(id, n)
	}
	if len(id) < 2 {
		return nil, fmt.Errorf("object identifier %q", s)
	}
	return id, nil
}
