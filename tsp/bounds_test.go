package tsp_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/pki"
	"senim/tsp"
)

// info writes a TSTInfo: the obligatory parts as given, then whatever comes behind.
func info(version int64, imprint []byte, serial *big.Int, genTime string, rest ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(version)
		b.AddASN1ObjectIdentifier(tsp.PolicyGOST512)
		b.AddBytes(imprint)
		b.AddASN1BigInt(serial)
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(genTime)) })
		for _, r := range rest {
			b.AddBytes(r)
		}
	})
	return b.BytesOrPanic()
}

func imprint(hash asn1.ObjectIdentifier, params []byte, digest []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(hash)
			b.AddBytes(params)
		})
		b.AddASN1OctetString(digest)
	})
	return b.BytesOrPanic()
}

// What a token may hold (RFC 3161 2.4.2; crypto.md §13, §18) and what not, each signed by an authority.
func TestTokens(t *testing.T) {
	a := pkitest.New(t)
	tsa := a.TSA()
	null, now := []byte{5, 0}, a.Now.Format("20060102150405")
	good := imprint(algid.SHA256.OID(), null, make([]byte, 32))
	one := big.NewInt(1)
	extension := func(critical bool) []byte {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 398, 9})
				if critical {
					b.AddASN1Boolean(true)
				}
				b.AddASN1OctetString(null)
			})
		})
		return b.BytesOrPanic()
	}
	for name, c := range map[string]struct {
		info []byte
		want string // time of day; "" = refused
	}{
		"plain":                   {info(1, good, one, now+"Z"), "10:00:00"},
		"accuracy":                {info(1, good, one, now+"Z", []byte{0x30, 3, 2, 1, 1}), "10:00:00"},
		"ordering":                {info(1, good, one, now+"Z", []byte{1, 1, 0xff}), "10:00:00"},
		"nonce":                   {info(1, good, one, now+"Z", []byte{2, 1, 9}), "10:00:00"},
		"tsa":                     {info(1, good, one, now+"Z", []byte{0xa0, 4, 0xa4, 2, 0x30, 0}), "10:00:00"},
		"extension":               {info(1, good, one, now+"Z", extension(false)), "10:00:00"},
		"critical extension":      {info(1, good, one, now+"Z", extension(true)), ""},
		"half a second":           {info(1, good, one, now+".5Z"), "10:00:00.5"},
		"nanosecond":              {info(1, good, one, now+".000000001Z"), "10:00:00.000000001"},
		"ten digits":              {info(1, good, one, now+".0000000001Z"), ""},
		"fraction ending in 0":    {info(1, good, one, now+".50Z"), ""},
		"no fraction, a dot":      {info(1, good, one, now+".Z"), ""},
		"comma":                   {info(1, good, one, now+",5Z"), ""},
		"local time":              {info(1, good, one, now), ""},
		"offset":                  {info(1, good, one, now+"+0500"), ""},
		"no seconds":              {info(1, good, one, now[:12]+"Z"), ""},
		"no such day":             {info(1, good, one, "20260931100000Z"), ""},
		"version 2":               {info(2, good, one, now+"Z"), ""},
		"something behind":        {info(1, good, one, now+"Z", null), ""},
		"turned":                  {info(1, good, one, now+"Z", []byte{2, 1, 9}, []byte{1, 1, 0xff}), ""},
		"negative serial":         {info(1, good, big.NewInt(-5), now+"Z"), "10:00:00"},
		"serial of 32 octets":     {info(1, good, new(big.Int).Lsh(one, 255), now+"Z"), "10:00:00"},
		"serial of 33 octets":     {info(1, good, new(big.Int).Lsh(one, 256), now+"Z"), ""},
		"imprint without NULL":    {info(1, imprint(algid.SHA256.OID(), nil, make([]byte, 32)), one, now+"Z"), "10:00:00"},
		"imprint too short":       {info(1, imprint(algid.SHA256.OID(), null, make([]byte, 31)), one, now+"Z"), ""},
		"imprint of parameters":   {info(1, imprint(algid.SHA256.OID(), []byte{4, 0}, make([]byte, 32)), one, now+"Z"), ""},
		"imprint of SHA-1":        {info(1, imprint(algid.SHA1.OID(), null, make([]byte, 20)), one, now+"Z"), "10:00:00"},
		"imprint nobody knows":    {info(1, imprint(asn1.ObjectIdentifier{1, 2, 3}, nil, make([]byte, 128)), one, now+"Z"), "10:00:00"},
		"imprint, far too long":   {info(1, imprint(asn1.ObjectIdentifier{1, 2, 3}, nil, make([]byte, 129)), one, now+"Z"), ""},
		"imprint, empty":          {info(1, imprint(asn1.ObjectIdentifier{1, 2, 3}, nil, nil), one, now+"Z"), ""},
		"imprint, deeper than 32": {info(1, imprint(asn1.ObjectIdentifier{1, 2, 3}, deep(40), make([]byte, 32)), one, now+"Z"), ""},
	} {
		der, err := cms.Sign(rand.Reader, cms.Options{Key: tsa.Key, Certificate: tsa.Certificate, Content: c.info,
			ContentType: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}, SigningTime: a.Now, SigningCertificateV1: true})
		if err != nil {
			t.Fatal(err)
		}
		token, err := tsp.ParseToken(der)
		if (err == nil) != (c.want != "") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if got := token.Time.Format("15:04:05.999999999"); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
		if _, err := token.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if token.Imprint.Hash == 0 && token.Covers([]byte("x")) == nil {
			t.Errorf("%s: covers something", name)
		}
	}
}

func deep(n int) []byte {
	var out []byte
	for range n {
		out = append([]byte{0x30, byte(len(out))}, out...)
	}
	return out
}

// The bounds of security.md §3, with the last that passes: then it is the form that is wrong.
func TestSec3Bounds(t *testing.T) {
	for _, c := range []struct {
		name  string
		bound int
		parse func([]byte) error
	}{
		{"request", 64 << 10, func(b []byte) error { _, err := tsp.ParseRequest(b); return err }},
		{"answer", 256 << 10, func(b []byte) error { _, err := tsp.ParseResponse(b); return err }},
		{"token", 256 << 10, func(b []byte) error { _, err := tsp.ParseToken(b); return err }},
	} {
		for _, n := range []int{c.bound, c.bound + 1} {
			if err := c.parse(make([]byte, n)); err == nil || strings.Contains(err.Error(), "too many") != (n > c.bound) {
				t.Errorf("%s of %d bytes: %v", c.name, n, err)
			}
		}
	}
	texts := func(n int) []byte {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(2)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for range n {
						b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte("жоқ")) })
					}
				})
			})
		})
		return b.BytesOrPanic()
	}
	if r, err := tsp.ParseResponse(texts(16)); err != nil || strings.Count(r.Text, "жоқ") != 16 {
		t.Errorf("16 texts: %v", err)
	}
	if _, err := tsp.ParseResponse(texts(17)); err == nil {
		t.Error("17 texts accepted")
	}
	if _, err := tsp.ParseResponse(bytes.Replace(texts(1), []byte("ж"), []byte{0xd0, 0xd0}, 1)); err == nil {
		t.Error("text that is no UTF-8 accepted")
	}
	q := tsp.Request{Imprint: tsp.NewImprint(algid.SHA256, nil), Nonce: new(big.Int).Lsh(big.NewInt(1), 255)}
	for _, c := range []struct {
		nonce *big.Int
		good  bool
	}{{q.Nonce, true}, {new(big.Int).Lsh(q.Nonce, 1), false}} {
		q.Nonce = c.nonce
		der, err := tsp.CreateRequest(q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tsp.ParseRequest(der); (err == nil) != c.good {
			t.Errorf("nonce of %d bits: %v", c.nonce.BitLen(), err)
		}
	}
}

// A document is judged at the moment its time-stamp proves: what was revoked later was good then.
func TestPastProvedByTimeStamp(t *testing.T) {
	a := pkitest.New(t)
	tsa := a.TSA()
	q := &tsp.Request{Imprint: tsp.NewImprint(algid.Streebog512, []byte("signature")), Certificate: true}
	der, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, q, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(1), Time: a.Now})
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	maker, err := r.Token.Verify()
	if err != nil || r.Token.Covers([]byte("signature")) != nil {
		t.Fatal(err)
	}
	if _, err := a.Pool().Chain(maker, r.Token.Time); err != nil {
		t.Error(err)
	}
	leaf := a.Individual().Certificate
	month := a.Now.AddDate(0, 1, 0)
	revoked := pki.Entry{Serial: leaf.Serial, RevokedAt: a.Now.AddDate(0, 0, 1), Reason: pki.Superseded, HasReason: true}
	lists := []*pki.RevocationList{
		listAt(t, a.CA, a.CAKey, month, revoked),
		listAt(t, a.Root, a.RootKey, month),
	}
	for at, good := range map[time.Time]bool{r.Token.Time: true, a.Now.AddDate(0, 0, 2): false} {
		_, err := a.Pool().Validate(leaf, pki.Rules{At: at, Now: month, Revocation: true, Lists: lists})
		if (err == nil) != good || !good && !errors.As(err, new(*pki.RevokedError)) {
			t.Errorf("at %v: %v", at, err)
		}
	}
}

func listAt(t *testing.T, issuer *pki.Certificate, key crypto.Signer, at time.Time, entries ...pki.Entry) *pki.RevocationList {
	t.Helper()
	der, err := pki.CreateRevocationList(rand.Reader, key, issuer, pki.ListTemplate{Number: big.NewInt(2), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7), Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	l, err := pki.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
