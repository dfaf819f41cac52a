package e2e

import (
	"crypto/rand"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/robot"
	"senim/internal/trustdir"
	"senim/ocsp"
	"senim/pki"
)

// listDelay is the longest that a list may lag behind a revocation; here it follows as a job.
const listDelay = time.Minute

// status asks the responder about a certificate, as a stranger would.
func status(t *testing.T, sys *robot.System, c *pki.Certificate) ocsp.Single {
	t.Helper()
	issuer := issuerOf(t, sys, c)
	id, err := ocsp.NewCertID(algid.SHA256, issuer, c.Serial)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails: crypto/rand
	question, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: nonce})
	if err != nil {
		t.Fatal(err)
	}
	der, err := robot.Post(t.Context(), sys.Responder+"/ocsp/", "application/ocsp-request", question)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := ocsp.ParseResponse(der)
	if err == nil {
		_, err = ocsp.Verify(answer, issuer, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	one, ok := answer.Find(issuer, c.Serial)
	if !ok {
		t.Fatalf("the responder does not answer about %s", c.SerialHex())
	}
	return one
}

// listed waits until the published list has a certificate, and says whether it has another too.
func listed(t *testing.T, sys *robot.System, c, other *pki.Certificate) (both bool) {
	t.Helper()
	issuer := issuerOf(t, sys, c)
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(listDelay); ; {
		der, err := robot.Get(t.Context(), sys.Responder+"/crl/gost.crl")
		if err != nil {
			t.Fatal(err)
		}
		list, err := pki.ParseRevocationList(der)
		if err == nil {
			err = list.CheckSignatureFrom(issuer)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := list.Find(c.Serial); ok {
			_, both = list.Find(other.Serial)
			return both
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("list %v does not have %s", list.Number, c.SerialHex())
		}
	}
}

func issuerOf(t *testing.T, sys *robot.System, c *pki.Certificate) *pki.Certificate {
	t.Helper()
	authorities, err := trustdir.Load(sys.Dir + "/trust")
	if err != nil {
		t.Fatal(err)
	}
	chain, err := authorities.Pool.Chain(c, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return chain[1]
}
