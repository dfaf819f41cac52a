package cms

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
)

var random = rand.Reader

func options(l *pkitest.Leaf, content string) Options {
	return Options{Key: l.Key, Certificate: l.Certificate, Content: []byte(content), SigningTime: signedAt}
}

// message signs content with a new person of a new authority.
func message(t testing.TB, l *pkitest.Leaf, content string) []byte {
	t.Helper()
	out, err := Sign(random, options(l, content))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parsed(t testing.TB, der []byte) *SignedData {
	t.Helper()
	sd, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

func TestSignRoundTrip(t *testing.T) {
	a := pkitest.New(t)
	for _, kind := range []algid.Key{algid.GOST512, algid.GOST256, algid.GOST2004, algid.RSA} {
		l := a.Issue(pkitest.Spec{Kind: kind})
		for name, change := range map[string]func(*Options){
			"attached": func(*Options) {},
			"detached": func(o *Options) { o.Detached = true },
			"digest":   func(o *Options) { o.Digest, o.Content = hashOf(t, l).Sum(o.Content), nil },
			"empty":    func(o *Options) { o.Content = nil },
			"stamp":    func(o *Options) { o.ContentType, o.SigningCertificateV1 = oidTimestamp, true },
		} {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				o := options(l, "договор")
				change(&o)
				der, err := Sign(random, o)
				if err != nil {
					t.Fatal(err)
				}
				sd := parsed(t, der)
				if !bytes.Equal(sd.Raw(), der) {
					t.Error("message is not DER")
				}
				var content []byte
				if sd.Detached() {
					content = []byte("договор")
				}
				vs, err := sd.Verify(content)
				v := allGood(t, vs, err)[0]
				if !v.SigningTime.Equal(signedAt) || !bytes.Equal(v.Certificate.Raw, l.Certificate.Raw) || len(v.ess) != 1 || len(v.Attributes) != 4 {
					t.Errorf("verdict %+v", v)
				}
			})
		}
	}
}

func TestSigningTimeForms(t *testing.T) {
	l := pkitest.New(t).Individual()
	for year, tag := range map[int]byte{2049: 0x17, 2050: 0x18} {
		o := options(l, "x")
		o.SigningTime = time.Date(year, 6, 1, 12, 0, 0, 123, time.FixedZone("", 5*3600))
		der, err := Sign(random, o)
		if err != nil {
			t.Fatal(err)
		}
		s := parsed(t, der).Signers()[0]
		for _, a := range s.Attributes {
			if a.OID.Equal(oidSigningTime) && a.Values[0][0] != tag {
				t.Errorf("%d: tag %x", year, a.Values[0][0])
			}
		}
		if !s.SigningTime.Equal(o.SigningTime.Truncate(time.Second)) {
			t.Errorf("%d: %v", year, s.SigningTime)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	a := pkitest.New(t)
	l, other := a.Individual(), a.Individual()
	for name, change := range map[string]func(*Options){
		"no key":              func(o *Options) { o.Key = nil },
		"no certificate":      func(o *Options) { o.Certificate = nil },
		"foreign certificate": func(o *Options) { o.Certificate = other.Certificate },
		"no time":             func(o *Options) { o.SigningTime = time.Time{} },
		"short digest":        func(o *Options) { o.Digest = make([]byte, 32) },
	} {
		o := options(l, "x")
		change(&o)
		if _, err := Sign(random, o); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

func TestAddSigner(t *testing.T) {
	a := pkitest.New(t)
	first, second := a.Individual(), a.Issue(pkitest.Spec{Kind: algid.RSA})
	for _, detached := range []bool{false, true} {
		o := options(first, "договор")
		o.Detached = detached
		one, err := Sign(random, o)
		if err != nil {
			t.Fatal(err)
		}
		o = options(second, "")
		o.Content = nil
		if detached {
			if _, err := AddSigner(random, one, o); !errors.Is(err, ErrDetached) {
				t.Errorf("without content: %v", err)
			}
			o.Content = []byte("другой договор")
			if _, err := AddSigner(random, one, o); !errors.Is(err, ErrDigest) {
				t.Errorf("other content: %v", err)
			}
			o.Content = []byte("договор")
		}
		two, err := AddSigner(random, one, o)
		if err != nil {
			t.Fatal(err)
		}
		sd := parsed(t, two)
		vs, err := sd.Verify(o.Content)
		vs = allGood(t, vs, err)
		if len(vs) != 2 || vs[0].Hash != algid.SHA256 || vs[1].Hash != algid.Streebog512 {
			t.Errorf("newest signer is not first: %v %v", vs[0].Hash, vs[1].Hash)
		}
		if !bytes.Equal(sd.parts.signers[1], parsed(t, one).parts.signers[0]) {
			t.Error("the first signature changed its bytes")
		}
		three, err := AddSigner(random, two, o)
		if err != nil {
			t.Fatal(err)
		}
		sd = parsed(t, three)
		if len(sd.parts.hashes) != 2 || len(sd.Certificates()) != 2 || len(sd.Signers()) != 3 {
			t.Errorf("hashes %d, certificates %d", len(sd.parts.hashes), len(sd.Certificates()))
		}
	}
	o := options(second, "")
	o.Content, o.Digest = nil, make([]byte, 32)
	if _, err := AddSigner(random, message(t, first, "x"), o); !errors.Is(err, ErrContentTwice) {
		t.Errorf("digest beside attached content: %v", err)
	}
}

func TestAddTimestamp(t *testing.T) {
	a := pkitest.New(t)
	two, err := AddSigner(random, message(t, a.Individual(), "x"), func() Options { o := options(a.Head(), ""); o.Content = nil; return o }())
	if err != nil {
		t.Fatal(err)
	}
	o := options(a.TSA(), "stands for TSTInfo")
	o.ContentType, o.SigningCertificateV1 = oidTimestamp, true
	token, err := Sign(random, o)
	if err != nil {
		t.Fatal(err)
	}
	stamped, err := AddTimestamp(two, 1, token)
	if err != nil {
		t.Fatal(err)
	}
	vs, err := parsed(t, stamped).Verify(nil)
	vs = allGood(t, vs, err)
	if vs[0].Timestamp != nil || !bytes.Equal(vs[1].Timestamp, token) {
		t.Error("token is not where it was put")
	}
	again, err := AddTimestamp(stamped, 1, token)
	if err != nil || len(parsed(t, again).Signers()[1].Timestamps) != 2 {
		t.Errorf("second token: %v", err)
	}
	for i, bad := range map[int][]byte{2: token, -1: token, 0: []byte("no token")} {
		if _, err := AddTimestamp(two, i, bad); err == nil {
			t.Errorf("%d: accepted", i)
		}
	}
}

func TestDecodeText(t *testing.T) {
	der := message(t, pkitest.New(t).Individual(), "x")
	text := EncodePEM(der)
	if !strings.HasPrefix(string(text), "-----BEGIN CMS-----\nMII") {
		t.Errorf("PEM begins %.40q", text)
	}
	b64 := base64.StdEncoding.EncodeToString(der)
	for name, in := range map[string]string{
		"DER": string(der), "PEM": string(text), "base64": b64, "wrapped": b64[:50] + "\r\n " + b64[50:],
		"old label": strings.ReplaceAll(string(text), " CMS-", " PKCS7-"),
	} {
		if got, err := Decode([]byte(in)); err != nil || !bytes.Equal(got, der) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, in := range map[string]string{
		"nothing": "", "words": "hello, world", "certificate": strings.ReplaceAll(string(text), "CMS", "CERTIFICATE"),
		"two blocks": string(text) + string(text),
	} {
		if _, err := Decode([]byte(in)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// hashOf is the hash that goes with a key.
func hashOf(t testing.TB, l *pkitest.Leaf) algid.Hash {
	t.Helper()
	sig, err := algid.SignatureFor(l.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return sig.Hash()
}
