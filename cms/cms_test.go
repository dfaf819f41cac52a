package cms

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
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

// Signers by key identifier: written, read, verified, co-signing either kind.
func TestSignByKeyIdentifier(t *testing.T) {
	a := pkitest.New(t)
	first, second := a.Individual(), a.Head()
	o := options(first, "договор")
	o.SubjectKeyID = true
	der, err := Sign(random, o)
	if err != nil {
		t.Fatal(err)
	}
	sd := parsed(t, der)
	s := sd.Signers()[0]
	if sd.parts.version != 3 || s.Serial != nil || !bytes.Equal(s.SubjectKeyID, first.Certificate.SubjectKeyID) || !s.SigningCertificate {
		t.Errorf("version %d, signer %x", sd.parts.version, s.SubjectKeyID)
	}
	vs, err := sd.Verify(nil)
	allGood(t, vs, err)

	by := options(second, "")
	by.Content, by.SubjectKeyID = nil, true
	two, err := AddSigner(random, message(t, first, "договор"), by)
	if err != nil {
		t.Fatal(err)
	}
	sd = parsed(t, two)
	if vs, err = sd.Verify(nil); sd.parts.version != 3 || len(allGood(t, vs, err)) != 2 {
		t.Errorf("version %d", sd.parts.version)
	}
	o.Certificate = &pki.Certificate{PublicKey: first.Certificate.PublicKey}
	if _, err := Sign(random, o); err == nil {
		t.Error("signed without an identifier")
	}
}

// Two certificates of one key: the signed attribute tells which is meant.
func TestSameKeyTwice(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	again := a.Issue(pkitest.Spec{Key: l.Key})
	o := options(l, "x")
	o.SubjectKeyID = true
	der, err := Sign(random, o)
	if err != nil {
		t.Fatal(err)
	}
	both, err := AddEvidence(der, [][]byte{again.Certificate.Raw}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range [][]byte{der, both} {
		vs, err := parsed(t, m).Verify(nil)
		if v := allGood(t, vs, err)[0]; !bytes.Equal(v.Certificate.Raw, l.Certificate.Raw) {
			t.Error("another certificate")
		}
	}
	swapped := bytes.Replace(both, l.Certificate.Raw, again.Certificate.Raw, 1)
	if err := verdict(swapped, nil); err == nil {
		t.Error("the other certificate of the key stands for the one that was meant")
	}
}

// What stands beside signatures changes nothing that is signed.
func TestAddEvidence(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	der := message(t, l, "x")
	list := a.List()
	other := append([]byte{0xa1, 13, 6, 8}, []byte{0x2b, 6, 1, 5, 5, 7, 16, 2, 0x30, 1, 0}...)
	if _, err := AddEvidence(der, nil, [][]byte{other}); err == nil {
		t.Error("not DER, and added")
	}
	other = append([]byte{0xa1, 12, 6, 8}, []byte{0x2b, 6, 1, 5, 5, 7, 16, 2, 0x30, 0}...)
	full, err := AddEvidence(der, [][]byte{a.CA.Raw, a.CA.Raw, l.Certificate.Raw}, [][]byte{list, other, list})
	if err != nil {
		t.Fatal(err)
	}
	sd := parsed(t, full)
	if len(sd.RawCertificates()) != 2 || len(sd.RawRevocation()) != 2 || sd.parts.version != 5 || !bytes.Equal(sd.Raw(), full) {
		t.Errorf("%d certificates, %d evidence, version %d", len(sd.RawCertificates()), len(sd.RawRevocation()), sd.parts.version)
	}
	vs, err := sd.Verify(nil)
	allGood(t, vs, err)
	if !bytes.Equal(sd.parts.signers[0], parsed(t, der).parts.signers[0]) {
		t.Error("the signature changed its bytes")
	}
	many := make([][]byte, maxRevocation+1)
	for i := range many {
		many[i] = []byte{0x30, 4, 2, 2, byte(i >> 8), byte(i)}
	}
	if _, err := AddEvidence(der, nil, many); err == nil {
		t.Error("too many lists accepted")
	}
}

// A list of more entries than BER may have elements stands inside a message all the same.
func TestBigListInside(t *testing.T) {
	a := pkitest.New(t)
	entries := make([]pki.Entry, 30_000)
	for i := range entries {
		entries[i] = pki.Entry{Serial: big.NewInt(int64(i + 1)), RevokedAt: signedAt, Reason: pki.Superseded}
	}
	full, err := AddEvidence(message(t, a.Individual(), "x"), nil, [][]byte{a.List(entries...)})
	if err != nil {
		t.Fatal(err)
	}
	vs, err := parsed(t, full).Verify(nil)
	allGood(t, vs, err)
}

func TestAddUnsigned(t *testing.T) {
	a := pkitest.New(t)
	der := message(t, a.Individual(), "x")
	before := parsed(t, der).Signers()[0]
	fields := before.SignedFields()
	more, err := AddUnsigned(der, 0, oidTimestamp[:8], []byte{4, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	s := parsed(t, more).Signers()[0]
	if len(s.Unsigned) != 1 || !bytes.Equal(s.SignedFields(), fields) || !bytes.Contains(der, fields) {
		t.Error("what is signed changed")
	}
	for i, value := range map[int][]byte{0: {4, 2, 1}, 1: {4, 1, 1}, -1: {4, 1, 1}} {
		if _, err := AddUnsigned(der, i, oidTimestamp, value); err == nil {
			t.Errorf("%d: accepted", i)
		}
	}
}
