package tsp_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/pki"
	"senim/tsp"
)

func TestFixtureTokens(t *testing.T) {
	for _, f := range []struct {
		name   string
		policy string
		hash   algid.Hash
		key    algid.Key
		day    string
	}{
		{"tsp_token.bin", "1.2.398.3.3.2.6.1", algid.SHA1, algid.GOST2004, "2022-09-18"},
		{"tsa_prod_gost2015_token.der", "1.2.398.3.3.2.6.4", algid.Streebog512, algid.GOST512, "2025-06-26"},
	} {
		t.Run(f.name, func(t *testing.T) {
			token, err := tsp.ParseToken(pkitest.Fixture(t, "tsp/"+f.name))
			if err != nil {
				t.Fatal(err)
			}
			c, err := token.Verify()
			if err != nil {
				t.Fatal(err)
			}
			if token.Policy.String() != f.policy || token.Imprint.Hash != f.hash || c.Key != f.key || token.Time.Format(time.DateOnly) != f.day {
				t.Errorf("%v %v %v %v", token.Policy, token.Imprint.Hash, c.Key, token.Time)
			}
			if err := token.Covers([]byte("something else")); !errors.Is(err, tsp.ErrImprint) {
				t.Errorf("covers everything: %v", err)
			}
			if token.Serial.Sign() == 0 || c.ForSigning() || c.ForSignIn() {
				t.Errorf("serial %x, for signing %v", token.Serial, c.ForSigning())
			}
			t.Logf("made by %s, issued by %s", c.Subject, c.Issuer)
		})
	}
}

func TestFixtureChains(t *testing.T) {
	pool := pki.NewPool()
	pool.AddRoot(pkitest.FixtureCertificate(t, "ca/prod/root_gost_2022.pem"))
	pool.AddIntermediate(pkitest.FixtureCertificate(t, "ca/prod/nca_gost_2022.pem"))
	pool.AddRoot(pkitest.FixtureCertificate(t, "ca/test/root_gost_test.crt"))
	pool.AddIntermediate(pkitest.FixtureCertificate(t, "ca/test/nca_gost_test.crt"))
	for _, name := range []string{"tsp_token.bin", "tsa_prod_gost2015_token.der"} {
		token, err := tsp.ParseToken(pkitest.Fixture(t, "tsp/"+name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := token.Verify()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Chain(c, token.Time); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFixtureResponse(t *testing.T) {
	r, err := tsp.ParseResponse(pkitest.Fixture(t, "tsp/tsp_response.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != 0 || r.Token == nil || !bytes.Equal(r.Token.Raw(), pkitest.Fixture(t, "tsp/tsp_token.bin")) {
		t.Errorf("status %d, token %v", r.Status, r.Token != nil)
	}
	if _, err := r.Token.Verify(); err != nil {
		t.Error(err)
	}
}

// The time-stamp inside the CAdES-T fixture covers the signature it stands beside.
func TestFixtureCAdES(t *testing.T) {
	sd, err := cms.Parse(pkitest.Fixture(t, "cms/gost512_ceo_attached_cadest_1.p7s"))
	if err != nil {
		t.Fatal(err)
	}
	signer := sd.Signers()[0]
	if len(signer.Timestamps) != 1 {
		t.Fatalf("%d time-stamps", len(signer.Timestamps))
	}
	token, err := tsp.ParseToken(signer.Timestamps[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Verify(); err != nil {
		t.Error(err)
	}
	if err := token.Covers(signer.SignatureValue); err != nil {
		t.Error(err)
	}
}

func TestRoundTrip(t *testing.T) {
	a := pkitest.New(t)
	tsa := a.TSA()
	for _, hash := range []algid.Hash{algid.SHA1, algid.SHA256, algid.GOST34311, algid.Streebog512} {
		for _, nonce := range []*big.Int{nil, big.NewInt(1 << 60)} {
			ask := tsp.Request{Imprint: tsp.NewImprint(hash, []byte("signature")), Nonce: nonce, Policy: tsp.PolicyGOST512, Certificate: true}
			der, err := tsp.CreateRequest(ask)
			if err != nil {
				t.Fatal(err)
			}
			q, err := tsp.ParseRequest(der)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, q, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(7), Time: a.Now})
			if err != nil {
				t.Fatal(err)
			}
			r, err := tsp.ParseResponse(answer)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Answers(ask); err != nil {
				t.Error(err)
			}
			c, err := r.Token.Verify()
			if err != nil || c.SerialHex() != tsa.Certificate.SerialHex() || !r.Token.Time.Equal(a.Now) {
				t.Errorf("%v %v", r.Token.Time, err)
			}
			if err := r.Token.Covers([]byte("signature")); err != nil {
				t.Error(err)
			}
			other := ask
			other.Nonce = big.NewInt(5)
			if r.Answers(other) == nil {
				t.Error("answers another nonce")
			}
			other = ask
			other.Imprint = tsp.NewImprint(hash, []byte("Signature"))
			if !errors.Is(r.Answers(other), tsp.ErrImprint) {
				t.Error("answers another imprint")
			}
			for _, bad := range [][]byte{append(bytes.Clone(der), 0), der[:len(der)-1]} {
				if _, err := tsp.ParseRequest(bad); err == nil {
					t.Error("request with bytes too many or too few accepted")
				}
			}
		}
	}
}

// Tokens signed by people who are no time-stamping authority.
func TestSignersRefused(t *testing.T) {
	a := pkitest.New(t)
	q := &tsp.Request{Imprint: tsp.NewImprint(algid.SHA256, []byte("x")), Certificate: true}
	stamp := tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(1), Time: a.Now}
	twoUsages := a.Issue(pkitest.Spec{Change: func(t *pki.Template) {
		t.ExtKeyUsage, t.ExtKeyUsageCritical = append(t.ExtKeyUsage, pki.TimeStamping), true
	}})
	for name, leaf := range map[string]*pkitest.Leaf{"a person": a.Individual(), "two usages": twoUsages, "expired": a.Expired()} {
		if _, err := tsp.CreateResponse(rand.Reader, leaf.Key, leaf.Certificate, q, stamp); !errors.Is(err, tsp.ErrSigner) {
			t.Errorf("%s writes: %v", name, err)
		}
	}
	tsa := a.TSA()
	der, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, q, stamp)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(r.Token.Raw())
	if err != nil {
		t.Fatal(err)
	}
	person := a.Individual()
	forged, err := cms.Sign(rand.Reader, cms.Options{Key: person.Key, Certificate: person.Certificate, Content: sd.Content(), ContentType: sd.ContentType(), SigningTime: a.Now})
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(forged)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Verify(); !errors.Is(err, tsp.ErrSigner) {
		t.Errorf("a person's token: %v", err)
	}
	plain, err := cms.Sign(rand.Reader, cms.Options{Key: person.Key, Certificate: person.Certificate, Content: []byte("data"), SigningTime: a.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tsp.ParseToken(plain); err == nil {
		t.Error("a signed document is read as a token")
	}
}

func TestRefusal(t *testing.T) {
	for _, f := range []tsp.Failure{tsp.BadAlgorithm, tsp.BadRequest, tsp.TimeNotAvailable, tsp.UnacceptedPolicy, tsp.SystemFailure} {
		r, err := tsp.ParseResponse(tsp.Refuse(f))
		if err != nil || !r.Failed || r.Failure != f || r.Token != nil || r.Answers(tsp.Request{}) == nil {
			t.Errorf("%d: %+v, %v", f, r, err)
		}
	}
}

// fuzzToken: the token in DER is the same token; verifying it does not panic.
func fuzzToken(t *testing.T, token *tsp.Token) {
	_, _ = token.Verify()
	again, err := tsp.ParseToken(token.Raw())
	if err != nil || !bytes.Equal(again.Raw(), token.Raw()) || !again.Time.Equal(token.Time) || again.Serial.Cmp(token.Serial) != 0 || !again.Imprint.Equal(token.Imprint) {
		t.Errorf("%x is another token the second time: %v", token.Raw(), err)
	}
}

func FuzzParse(f *testing.F) {
	a := pkitest.New(f)
	tsa := a.TSA()
	q := &tsp.Request{Imprint: tsp.NewImprint(algid.SHA256, []byte("x")), Certificate: true, Nonce: big.NewInt(9)}
	der, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, q, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(1), Time: a.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	if r, err := tsp.ParseResponse(der); err == nil {
		f.Add(r.Token.Raw())
	}
	f.Add(tsp.Refuse(tsp.BadRequest))
	ask, err := tsp.CreateRequest(*q)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ask)
	f.Fuzz(func(t *testing.T, der []byte) {
		if r, err := tsp.ParseResponse(der); err == nil && r.Token != nil {
			fuzzToken(t, r.Token)
		}
		if token, err := tsp.ParseToken(der); err == nil {
			fuzzToken(t, token)
		}
		q, err := tsp.ParseRequest(der)
		if err != nil || q.Imprint.Hash == 0 {
			return
		}
		again, err := tsp.CreateRequest(*q)
		if err != nil {
			t.Fatalf("read, not written: %v", err)
		}
		back, err := tsp.ParseRequest(again)
		if err != nil || !reflect.DeepEqual(back, q) {
			t.Fatalf("%x says %+v, written it says %+v, %v", der, q, back, err)
		}
		if twice, err := tsp.CreateRequest(*back); err != nil || !bytes.Equal(twice, again) {
			t.Errorf("written %x, then %x, %v", again, twice, err)
		}
	})
}
