package ca

import (
	"crypto"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/internal/profile"
	"senim/pki"
)

// maxCSR bounds a request before it is parsed, in bytes.
const maxCSR = 16 << 10

// examine turns an order into a draft, or says why it will never be one.
func (s *Service) examine(o Order) (*draft, error) {
	if o.ID == "" || len(o.ID) > 100 {
		return nil, &Refusal{CodeProfileUnknown, "an order has an ID of 1 to 100 bytes"}
	}
	p, ok := s.profile(o.Profile)
	if !ok {
		return nil, &Refusal{CodeProfileUnknown, fmt.Sprintf("no profile %q", o.Profile)}
	}
	req, err := s.provedRequest(o.CSR)
	if err != nil {
		return nil, err
	}
	spki, err := s.suitable(p, req)
	if err != nil {
		return nil, err
	}
	a, ok := s.issuer(req.Key)
	if !ok {
		return nil, &Refusal{CodeKeyUnsuitable, fmt.Sprintf("there is no authority for %s keys", req.Key)}
	}
	name, err := o.subject(p)
	if err != nil {
		return nil, err
	}
	from, to, err := s.dates(o, p, a)
	if err != nil {
		return nil, err
	}
	return s.draft(o, p, a, wanted{key: req.PublicKey, spki: spki, subject: name, from: from, to: to})
}

// wanted is an order as it was read.
type wanted struct {
	key      crypto.PublicKey
	spki     []byte // as we write it
	subject  pki.Name
	from, to time.Time
}

// provedRequest parses a request and checks that the asker holds the private key.
func (s *Service) provedRequest(der []byte) (*pki.Request, error) {
	return provedRequest(der, s.proofs.request)
}

func provedRequest(der []byte, prove func(*pki.Request) error) (*pki.Request, error) {
	if len(der) > maxCSR {
		return nil, &Refusal{CodeCSRInvalid, fmt.Sprintf("request of %d bytes, at most %d", len(der), maxCSR)}
	}
	req, err := pki.ParseRequest(der)
	if err != nil {
		return nil, &Refusal{CodeCSRInvalid, err.Error()}
	}
	if !proves(req.Signature) {
		return nil, &Refusal{CodeCSRInvalid, fmt.Sprintf("a signature of %s proves no possession", req.Signature)}
	}
	if err := prove(req); err != nil {
		return nil, &Refusal{CodeCSRInvalid, "possession of the key is not proved: " + err.Error()}
	}
	return req, nil
}

// proves reports an algorithm whose signatures cannot be made up: neither MD5 nor SHA-1 (BR 7.1.3.2),
// and of GOST the one of the keys that are certified.
func proves(a algid.Signature) bool {
	switch a {
	case algid.GOST512Sig, algid.SHA256WithRSA, algid.SHA384WithRSA, algid.SHA512WithRSA:
		return true
	default:
		return false
	}
}

// subject makes the name of the certificate: what the profile wants, and nothing else.
func (o Order) subject(p Profile) (pki.Name, error) {
	s := o.Subject
	wrong := func(why string) (pki.Name, error) { return nil, &Refusal{CodeSubjectInvalid, why} }
	name, err := p.SubjectName(profile.Values{
		profile.UID: s.UID, profile.CommonName: s.CommonName, profile.Surname: s.Surname, profile.Patronymic: s.Patronymic, profile.IIN: s.IIN,
		profile.Organization: s.Organization, profile.BIN: s.BIN, profile.TreasuryRole: s.TreasuryRole, profile.TreasuryCode: s.TreasuryCode,
	})
	switch {
	case err != nil:
		return wrong(err.Error())
	case p.Registered != (s.System > 0) || s.System < 0:
		return wrong("the number of a registered system goes with the profiles of such systems")
	case p.Email == profile.Never && s.Email != "":
		return wrong("the profile has no e-mail address")
	case p.Email == profile.Required && s.Email == "":
		return wrong("an e-mail address is wanted")
	case o.Identity != "" && !p.Identity:
		return wrong("the profile does not tell how the person was identified")
	case o.Identity != "" && o.Identity != IdentityDesk && o.Identity != IdentityRemote:
		return wrong("identified in an unknown way")
	}
	return name, nil
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
		to = from.AddDate(0, 0, p.Days(o.Storage))
	}
	if !from.Before(to) || from.Before(a.cert.NotBefore) || to.After(a.cert.NotAfter) {
		return from, to, &Refusal{CodeDatesInvalid, fmt.Sprintf("%s to %s does not fit into the life of the authority, %s to %s",
			from.Format(time.DateOnly), to.Format(time.DateOnly), a.cert.NotBefore.Format(time.DateOnly), a.cert.NotAfter.Format(time.DateOnly))}
	}
	return from, to, nil
}

func (s *Service) draft(o Order, p Profile, a *authority, q wanted) (*draft, error) {
	sig, err := signatureOf(a.cert)
	if err != nil {
		return nil, err
	}
	serial, err := s.serial(p, q.key)
	if err != nil {
		return nil, err
	}
	policies, err := a.policies(p)
	if err != nil {
		return nil, fmt.Errorf("authority %s: policy: %w", a.name, err)
	}
	shard := a.shardFor(serial)
	lists, deltas := a.points(shard)
	t := &pki.Template{
		Signature: sig, Serial: new(big.Int).SetBytes(serial), RawIssuer: a.cert.RawSubject, Subject: q.subject,
		NotBefore: q.from, NotAfter: q.to, PublicKey: q.key,
		KeyUsage: p.KeyUsage, ExtKeyUsage: usages(p, o), Policies: policies,
		AuthorityKeyID: a.cert.SubjectKeyID,
		CRL:            lists, DeltaCRL: deltas, OCSP: a.settings.OCSP, Issuers: a.settings.Issuers,
	}
	if p.Storage {
		if t.Storage = o.Storage; len(t.Storage) == 0 {
			t.Storage = pki.StoragePKCS12
		}
	}
	if o.Subject.Email != "" {
		t.Emails = []string{o.Subject.Email}
	}
	r := Record{
		CA: a.name, Serial: serialHex(serial), Order: o.ID, Profile: p.Name, Key: keyHash(q.spki), State: Reserved,
		IIN: o.Subject.IIN, BIN: o.Subject.BIN, Name: o.Subject.CommonName, Replaces: o.Replaces,
		NotBefore: q.from, NotAfter: q.to, Created: s.now(),
	}
	return &draft{issuer: a, shard: shard, profile: p, template: t, record: r, sole: o.Sole && o.Replaces != "", days: p.Days(o.Storage)}, nil
}

// serial follows the profile's rule (crypto.md §7).
func (s *Service) serial(p Profile, key crypto.PublicKey) ([]byte, error) {
	if p.Serial == profile.SerialRandom {
		return randomSerial(s.rand, s.node)
	}
	b, err := keySerial(key)
	if err != nil {
		return nil, &Refusal{CodeKeyUnsuitable, err.Error()}
	}
	return b, nil
}

// adopt takes the serial that was stored for the order when it was first asked for; a random one
// would be another now.
func (d *draft) adopt(r Record) error {
	serial, ok := new(big.Int).SetString(r.Serial, 16)
	if !ok {
		return fmt.Errorf("record %s: serial", r.Order)
	}
	d.record.Serial, d.template.Serial = r.Serial, serial
	return nil
}

// signatureOf is the algorithm a certificate's key signs with.
func signatureOf(cert *pki.Certificate) (algid.Signature, error) {
	return algid.SignatureFor(cert.PublicKey)
}
