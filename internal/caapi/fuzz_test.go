package caapi

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
)

// FuzzRenewal: whatever comes as request and proof, the answer is an error that is a refusal, never a
// panic; and only the true proof over the true request passes.
func FuzzRenewal(f *testing.F) {
	ca := pkitest.New(f, pkitest.Config{Now: time.Now()})
	old := ca.Individual()
	csr := pkitest.Request(f, pkitest.NewKey(f, algid.GOST512), old.Certificate.Holder())
	proof, err := cms.Sign(rand.Reader, cms.Options{Key: old.Key, Certificate: old.Certificate, Content: csr, Detached: true, SigningTime: time.Now()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(base64.StdEncoding.EncodeToString(csr), base64.StdEncoding.EncodeToString(proof))
	f.Add(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})), string(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: proof})))
	f.Add("-----BEGIN CMS-----\n", "MAA=")
	f.Fuzz(func(t *testing.T, a, b string) {
		request, err := der(a, "CERTIFICATE REQUEST")
		if err != nil {
			return
		}
		_ = sameHolder(request, old.Certificate)
		signed, err := der(b, "CMS")
		if err != nil {
			return
		}
		if proves(signed, request, old.Certificate) == nil && !bytes.Equal(request, csr) {
			t.Errorf("a proof over %x", request)
		}
	})
}

// FuzzCursor: what is read is what was written.
func FuzzCursor(f *testing.F) {
	f.Add(writeCursor(time.UnixMilli(1788256800123), "59e08b0a21b57a15d8d6a95b6f6d8e2a4d1c3f70"))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		at, serial, err := readCursor(s)
		if err == nil && writeCursor(at, serial) != s {
			b, _ := base64.RawURLEncoding.DecodeString(s)
			if !bytes.HasPrefix(b, []byte("0")) && !bytes.HasPrefix(b, []byte("+")) { // a number may be written in several ways
				t.Errorf("%q is read as %v %s", s, at, serial)
			}
		}
		_, _ = preferred(s, "application/json", "application/pkix-cert")
	})
}
