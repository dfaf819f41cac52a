package ocsp_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
)

// told signs an answer about a certificate.
func told(t *testing.T, a *pkitest.Authority, by *pkitest.Leaf, c *pki.Certificate, s ocsp.Single) *ocsp.Response {
	t.Helper()
	issuer := a.CA
	if c == a.CA {
		issuer = a.Root
	}
	id, err := ocsp.NewCertID(algid.SHA256, issuer, c.Serial)
	if err != nil {
		t.Fatal(err)
	}
	if s.ID = id; s.Status == 0 {
		s.Status = ocsp.Good
	}
	der, err := ocsp.CreateResponse(rand.Reader, by.Key, by.Certificate, ocsp.ResponseTemplate{ProducedAt: s.ThisUpdate, Singles: []ocsp.Single{s}})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, der)
}

// Answers decide like lists: good, revoked, or not determined.
func TestAnswersAsEvidence(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual().Certificate
	responder := a.Responder()
	root := &pkitest.Leaf{Certificate: a.Root, Key: a.RootKey}
	checked := a.Issue(pkitest.Spec{Kind: algid.GOST512, Holder: pki.Holder{CommonName: "OCSP"}, Change: func(t *pki.Template) {
		t.KeyUsage, t.ExtKeyUsage = pki.DigitalSignature, append(t.ExtKeyUsage[:0:0], pki.OCSPSigning)
	}})
	authority := told(t, a, root, a.CA, ocsp.Single{ThisUpdate: a.Now})
	minutes := func(n int) time.Time { return a.Now.Add(time.Duration(n) * time.Minute) }
	revoked := ocsp.Single{Status: ocsp.Revoked, RevokedAt: minutes(-60), Reason: pki.KeyCompromise, HasReason: true, ThisUpdate: a.Now}
	clean, err := pki.ParseRevocationList(a.List())
	if err != nil {
		t.Fatal(err)
	}
	listed, err := pki.ParseRevocationList(a.List(a.Revoked(leaf, pki.Superseded)))
	if err != nil {
		t.Fatal(err)
	}
	good := told(t, a, responder, leaf, ocsp.Single{ThisUpdate: a.Now})
	for name, c := range map[string]struct {
		answers []*ocsp.Response
		lists   []*pki.RevocationList
		want    string
	}{
		"none":                           {nil, nil, "undetermined"},
		"good":                           {[]*ocsp.Response{authority, good}, nil, "good"},
		"good, nothing of the authority": {[]*ocsp.Response{good}, nil, "undetermined"},
		"revoked":                        {[]*ocsp.Response{authority, told(t, a, responder, leaf, revoked)}, nil, "revoked"},
		"good and revoked":               {[]*ocsp.Response{good, told(t, a, responder, leaf, revoked), authority}, nil, "revoked"},
		"unknown":                        {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{Status: ocsp.Unknown, ThisUpdate: a.Now})}, nil, "undetermined"},
		"unknown, and a list":            {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{Status: ocsp.Unknown, ThisUpdate: a.Now})}, []*pki.RevocationList{clean}, "good"},
		"good, on a list":                {[]*ocsp.Response{authority, good}, []*pki.RevocationList{listed}, "revoked"},
		"15 minutes old":                 {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{ThisUpdate: minutes(-15)})}, nil, "good"},
		"16 minutes old":                 {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{ThisUpdate: minutes(-16)})}, nil, "undetermined"},
		"old, until now":                 {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{ThisUpdate: minutes(-600), NextUpdate: a.Now})}, nil, "good"},
		"old, until a second ago":        {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{ThisUpdate: minutes(-600), NextUpdate: a.Now.Add(-time.Second)})}, nil, "undetermined"},
		"2 minutes ahead":                {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{ThisUpdate: minutes(2)})}, nil, "good"},
		"3 minutes ahead":                {[]*ocsp.Response{authority, told(t, a, responder, leaf, ocsp.Single{ThisUpdate: minutes(3)})}, nil, "undetermined"},
		"by the issuer itself":           {[]*ocsp.Response{authority, told(t, a, &pkitest.Leaf{Certificate: a.CA, Key: a.CAKey}, leaf, ocsp.Single{ThisUpdate: a.Now})}, nil, "good"},
		"by a person":                    {[]*ocsp.Response{authority, told(t, a, a.Individual(), leaf, ocsp.Single{ThisUpdate: a.Now})}, nil, "undetermined"},
		"by a responder to be checked":   {[]*ocsp.Response{authority, told(t, a, checked, leaf, ocsp.Single{ThisUpdate: a.Now})}, nil, "undetermined"},
		"about another":                  {[]*ocsp.Response{authority, told(t, a, responder, a.Individual().Certificate, ocsp.Single{ThisUpdate: a.Now})}, nil, "undetermined"},
	} {
		_, err := a.Pool().Validate(leaf, pki.Rules{At: a.Now, Revocation: true, Lists: c.lists, Evidence: ocsp.Answers{Responses: c.answers}})
		got := "good"
		switch {
		case errors.As(err, new(*pki.RevokedError)):
			got = "revoked"
		case errors.Is(err, pki.ErrUndetermined):
			got = "undetermined"
		case err != nil:
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: want %s, got %s: %v", name, c.want, got, err)
		}
	}
}

// A question about the past: what was answered later counts, what was revoked later was good then.
func TestAnswersAboutThePast(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual().Certificate
	responder := a.Responder()
	root := &pkitest.Leaf{Certificate: a.Root, Key: a.RootKey}
	signed := a.Now
	month := signed.AddDate(0, 1, 0)
	for name, c := range map[string]struct {
		s    ocsp.Single
		now  time.Time
		good bool
	}{
		"good a month later":            {ocsp.Single{ThisUpdate: month}, month, true},
		"good, judged years later":      {ocsp.Single{ThisUpdate: month}, signed.AddDate(9, 0, 0), true},
		"good, from the future":         {ocsp.Single{ThisUpdate: month}, month.AddDate(0, 0, -1), false},
		"good, but from before":         {ocsp.Single{ThisUpdate: signed.AddDate(0, 0, -1)}, month, false},
		"revoked afterwards":            {ocsp.Single{Status: ocsp.Revoked, RevokedAt: signed.Add(time.Second), ThisUpdate: month}, month, true},
		"revoked before":                {ocsp.Single{Status: ocsp.Revoked, RevokedAt: signed, ThisUpdate: month}, month, false},
		"good after its end":            {ocsp.Single{ThisUpdate: leaf.NotAfter.Add(time.Hour)}, leaf.NotAfter.AddDate(1, 0, 0), false},
		"good, the responder had ended": {ocsp.Single{ThisUpdate: responder.Certificate.NotAfter.Add(time.Second)}, signed.AddDate(3, 0, 0), false},
	} {
		answers := ocsp.Answers{Responses: []*ocsp.Response{told(t, a, responder, leaf, c.s), told(t, a, root, a.CA, ocsp.Single{ThisUpdate: signed})}}
		_, err := a.Pool().Validate(leaf, pki.Rules{At: signed, Now: c.now, Revocation: true, Evidence: answers})
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
