package cms

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// forged is a message put together by hand: every field may lie.
type forged struct {
	leaf        *pkitest.Leaf
	content     []byte
	contentType asn1.ObjectIdentifier
	attributes  [][]byte // nil: signed without attributes
	id          []byte   // SignerIdentifier; nil: issuer and serial of leaf
	certs       []*pki.Certificate
	sigOID      asn1.ObjectIdentifier // nil: the right one
}

func (f forged) build(t *testing.T) []byte {
	t.Helper()
	sig, err := algid.SignatureFor(f.leaf.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	signed, implicit := f.content, []byte(nil)
	if f.attributes != nil {
		if signed, err = setOf(f.attributes); err != nil {
			t.Fatal(err)
		}
		implicit = append([]byte{byte(tag0)}, signed[1:]...)
	}
	value, err := sig.Sign(random, f.leaf.Key, signed)
	if err != nil {
		t.Fatal(err)
	}
	identifier := sig.Identifier()
	if f.sigOID != nil {
		if identifier, err = sequence(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(f.sigOID); b.AddASN1NULL() }); err != nil {
			t.Fatal(err)
		}
	}
	info, err := sequence(func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		if f.id != nil {
			b.AddBytes(f.id)
		} else {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(f.leaf.Certificate.RawIssuer)
				b.AddASN1BigInt(f.leaf.Certificate.Serial)
			})
		}
		b.AddBytes(sig.Hash().Identifier())
		b.AddBytes(implicit)
		b.AddBytes(identifier)
		b.AddASN1OctetString(value)
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.contentType == nil {
		f.contentType = oidData
	}
	if f.certs == nil {
		f.certs = []*pki.Certificate{f.leaf.Certificate}
	}
	p := parts{version: 1, hashes: [][]byte{sig.Hash().Identifier()}, signers: [][]byte{info}}
	for _, c := range f.certs {
		p.certificates = append(p.certificates, c.Raw)
	}
	if p.encap, err = encapsulated(f.contentType, f.content, false); err != nil {
		t.Fatal(err)
	}
	out, err := p.assemble()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func attr(t *testing.T, oid asn1.ObjectIdentifier, value func(*cryptobyte.Builder)) []byte {
	t.Helper()
	out, err := attribute(oid, value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// usual are the two attributes RFC 5652 asks for, over content.
func usual(t *testing.T, l *pkitest.Leaf, contentType asn1.ObjectIdentifier, content []byte) [][]byte {
	t.Helper()
	return [][]byte{
		attr(t, oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(contentType) }),
		attr(t, oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(hashOf(t, l).Sum(content)) }),
	}
}

// verdict is the error of the only signer, or of parsing.
func verdict(der, content []byte) error {
	sd, err := Parse(der)
	if err != nil {
		return err
	}
	vs, err := sd.Verify(content)
	if err != nil {
		return err
	}
	return vs[0].Err
}

func TestSec2ForgedByHandIsGood(t *testing.T) {
	l := pkitest.New(t).Individual()
	x := []byte("x")
	if err := verdict(forged{leaf: l, content: x, attributes: usual(t, l, oidData, x)}.build(t), nil); err != nil {
		t.Fatal(err) // the rest of this file means nothing then
	}
}

func TestSec2ContentBesideContent(t *testing.T) {
	der := message(t, pkitest.New(t).Individual(), "shown")
	if err := verdict(der, []byte("another")); !errors.Is(err, ErrContentTwice) {
		t.Errorf("verdict %v", err)
	}
	if err := verdict(der, []byte("shown")); err != nil {
		t.Errorf("equal content: %v", err)
	}
}

func TestSec2SignerByForeignSKI(t *testing.T) {
	a := pkitest.New(t)
	l, other := a.Individual(), a.Individual()
	x := []byte("x")
	by := func(c *pki.Certificate) []byte {
		return append([]byte{0x80, byte(len(c.SubjectKeyID))}, c.SubjectKeyID...)
	}
	f := forged{leaf: l, content: x, attributes: usual(t, l, oidData, x), id: by(other.Certificate),
		certs: []*pki.Certificate{l.Certificate, other.Certificate}}
	if err := verdict(f.build(t), nil); !errors.Is(err, ErrSignature) {
		t.Errorf("foreign: %v", err)
	}
	f.id = by(l.Certificate)
	if err := verdict(f.build(t), nil); err != nil {
		t.Errorf("own: %v", err)
	}
}

func TestSec2TwoSignersOneValid(t *testing.T) {
	a := pkitest.New(t)
	o := options(a.Head(), "")
	o.Content = nil
	two, err := AddSigner(random, message(t, a.Individual(), "x"), o)
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Clone(two)
	bad[len(bad)-1] ^= 1 // the last byte is of the second signer's signature
	vs, err := parsed(t, bad).Verify(nil)
	if err != nil || len(vs) != 2 || vs[0].Err != nil || !errors.Is(vs[1].Err, ErrSignature) {
		t.Errorf("%v: %v, %v", err, vs[0].Err, vs[1].Err)
	}
}

func TestSec2AttributeTwice(t *testing.T) {
	l := pkitest.New(t).Individual()
	x := []byte("x")
	for i := range 2 {
		list := usual(t, l, oidData, x)
		f := forged{leaf: l, content: x, attributes: append(list, list[i])}
		if err := verdict(f.build(t), nil); err == nil {
			t.Errorf("attribute %d twice is good", i)
		}
	}
	two := attr(t, oidMessageDigest, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(hashOf(t, l).Sum(x))
		b.AddASN1OctetString(hashOf(t, l).Sum(x))
	})
	f := forged{leaf: l, content: x, attributes: [][]byte{usual(t, l, oidData, x)[0], two}}
	if err := verdict(f.build(t), nil); err == nil {
		t.Error("digest with two values is good")
	}
}

func TestSec2ContentTypeWrong(t *testing.T) {
	l := pkitest.New(t).Individual()
	x := []byte("x")
	for name, list := range map[string][][]byte{
		"wrong":     usual(t, l, oidTimestamp, x),
		"absent":    usual(t, l, oidData, x)[1:],
		"no digest": usual(t, l, oidData, x)[:1],
		"none":      {},
	} {
		if err := verdict(forged{leaf: l, content: x, attributes: list}.build(t), nil); err == nil {
			t.Errorf("%s: good", name)
		}
	}
	if err := verdict(forged{leaf: l, content: []byte("y"), attributes: usual(t, l, oidData, x)}.build(t), nil); !errors.Is(err, ErrDigest) {
		t.Errorf("other content: %v", err)
	}
}

func TestSec2RightSubjectWrongKey(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	twin := a.Issue(pkitest.Spec{Serial: l.Certificate.Serial}) // same issuer, subject and serial
	x := []byte("x")
	f := forged{leaf: l, content: x, attributes: usual(t, l, oidData, x), certs: []*pki.Certificate{twin.Certificate}}
	if err := verdict(f.build(t), nil); !errors.Is(err, ErrSignature) {
		t.Errorf("twin alone: %v", err)
	}
	f.certs = []*pki.Certificate{twin.Certificate, l.Certificate}
	if err := verdict(f.build(t), nil); err == nil {
		t.Error("two certificates under one name are good")
	}
	swapped := bytes.Replace(message(t, l, "x"), l.Certificate.Raw, twin.Certificate.Raw, 1)
	if err := verdict(swapped, nil); !errors.Is(err, ErrSigningCertificate) {
		t.Errorf("twin under an ESS attribute: %v", err)
	}
	f.certs = []*pki.Certificate{a.CA}
	if err := verdict(f.build(t), nil); !errors.Is(err, ErrNoCertificate) {
		t.Errorf("no certificate: %v", err)
	}
}

func TestSec2SigningCertificate(t *testing.T) {
	a := pkitest.New(t)
	l, other := a.Individual(), a.Individual()
	x := []byte("x")
	for name, c := range map[string]struct {
		value []byte
		oid   asn1.ObjectIdentifier
		good  bool
	}{
		"own v2":     {algid.SHA256.Sum(l.Certificate.Raw), oidSigningCertificateV2, true},
		"foreign v2": {algid.SHA256.Sum(other.Certificate.Raw), oidSigningCertificateV2, false},
		"own v1":     {algid.SHA1.Sum(l.Certificate.Raw), oidSigningCertificate, true},
		"foreign v1": {algid.SHA1.Sum(other.Certificate.Raw), oidSigningCertificate, false},
		"short v2":   {algid.SHA1.Sum(l.Certificate.Raw), oidSigningCertificateV2, false},
	} {
		list := append(usual(t, l, oidData, x), attr(t, c.oid, essOf(c.value)))
		if err := verdict(forged{leaf: l, content: x, attributes: list}.build(t), nil); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSec2WithoutAttributes(t *testing.T) {
	l := pkitest.New(t).Individual()
	x := []byte("x")
	sd := parsed(t, forged{leaf: l, content: x}.build(t))
	vs, err := sd.Verify(nil)
	if v := allGood(t, vs, err)[0]; v.HasSignedAttributes {
		t.Error("not flagged")
	}
	if _, err := sd.VerifyDigest(algid.Streebog512, algid.Streebog512.Sum(x)); err == nil {
		t.Error("digest beside attached content is good")
	}
	if err := verdict(forged{leaf: l, content: x, contentType: oidTimestamp}.build(t), nil); err == nil {
		t.Error("other type without attributes is good")
	}
	// Somebody's signature over attributes, shown as a signature over these bytes as a document.
	set, err := setOf(usual(t, l, oidData, x))
	if err != nil {
		t.Fatal(err)
	}
	if err := verdict(forged{leaf: l, content: set}.build(t), nil); err == nil {
		t.Error("attributes turned into content are good")
	}
}

func TestSec2Algorithms(t *testing.T) {
	a := pkitest.New(t)
	x := []byte("x")
	rsa, gost := a.Issue(pkitest.Spec{Kind: algid.RSA}), a.Individual()
	for name, c := range map[string]struct {
		leaf *pkitest.Leaf
		oid  asn1.ObjectIdentifier
		good bool
	}{
		"rsaEncryption":      {rsa, oidRSAEncryption, true},
		"SHA-384 with RSA":   {rsa, algid.SHA384WithRSA.OID(), false},
		"GOST of RSA":        {rsa, algid.GOST512Sig.OID(), false},
		"RSA of GOST":        {gost, oidRSAEncryption, false},
		"GOST key OID":       {gost, asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 2, 2}, false},
		"Russian OID":        {gost, asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 3, 3}, false},
		"GOST of 256 bits":   {gost, algid.GOST256Sig.OID(), false},
		"message digest OID": {gost, algid.Streebog512.OID(), false},
	} {
		f := forged{leaf: c.leaf, content: x, attributes: usual(t, c.leaf, oidData, x), sigOID: c.oid}
		if err := verdict(f.build(t), nil); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSec3Bounds(t *testing.T) {
	l := pkitest.New(t).Individual()
	der := message(t, l, "x")
	sd := parsed(t, der)
	many := func(change func(*parts)) error {
		p := sd.parts
		change(&p)
		out, err := p.assemble()
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(out)
		return err
	}
	if err := many(func(p *parts) { p.signers = slices.Repeat(p.signers, MaxSigners) }); err != nil {
		t.Errorf("%d signers: %v", MaxSigners, err)
	}
	for name, change := range map[string]func(*parts){
		"signers":      func(p *parts) { p.signers = slices.Repeat(p.signers, MaxSigners+1) },
		"certificates": func(p *parts) { p.certificates = slices.Repeat(p.certificates, MaxCertificates+1) },
		"no signers":   func(p *parts) { p.signers = nil },
		"version":      func(p *parts) { p.version = 0 },
		"evidence":     func(p *parts) { p.crls = slices.Repeat([][]byte{{0x30, 0}}, maxRevocation+1) },
		"big evidence": func(p *parts) { p.crls = [][]byte{octets(maxRevocationSize)} },
	} {
		if err := many(change); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, bad := range map[string][]byte{"trailing": append(slices.Clone(der), 0), "cut": der[:len(der)-1], "nothing": nil} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// octets is an OCTET STRING of a size.
func octets(size int) []byte {
	out := make([]byte, 6, 6+size)
	copy(out, []byte{4, 0x84, byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)})
	return out[:cap(out)]
}

// No byte of a message may change unnoticed, but in the parts nothing speaks for: a changed one is
// refused, or verifies to the same certificate and content.
func TestEveryByteCounts(t *testing.T) {
	l := pkitest.New(t).Individual()
	der := message(t, l, "x")
	for i := range der {
		bad := slices.Clone(der)
		bad[i] ^= 1
		sd, err := Parse(bad)
		if err != nil {
			continue
		}
		vs, err := sd.Verify(nil)
		if err != nil || vs[0].Err != nil {
			continue
		}
		if string(sd.Content()) != "x" || !bytes.Equal(vs[0].Certificate.Raw, l.Certificate.Raw) || !vs[0].SigningTime.Equal(signedAt) {
			t.Errorf("byte %d of %d changed unnoticed", i, len(der))
		}
	}
}

func FuzzParse(f *testing.F) {
	a := pkitest.New(f)
	l := a.Individual()
	f.Add(message(f, l, "x"))
	o := options(l, "y")
	o.Detached = true
	if der, err := Sign(random, o); err == nil {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		sd, err := Parse(in)
		if err != nil {
			return
		}
		again, err := Parse(sd.Raw())
		if err != nil || !bytes.Equal(again.Raw(), sd.Raw()) {
			t.Fatalf("parsing again: %v", err)
		}
		content := []byte("y")
		if !sd.Detached() {
			content = nil
		}
		vs, err := sd.Verify(content)
		if err != nil || len(vs) != len(sd.Signers()) || len(vs) > MaxSigners {
			t.Fatalf("%d verdicts on %d signers: %v", len(vs), len(sd.Signers()), err)
		}
		for _, v := range vs {
			// The seeds may be of another process, with another signer; what was signed is the same.
			if v.Err == nil && !sd.Detached() && string(sd.Content()) != "x" {
				t.Fatalf("nobody signed %q", sd.Content())
			}
		}
	})
}
