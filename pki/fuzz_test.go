package pki_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

func FuzzParseCertificate(f *testing.F) {
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		a := pkitest.New(f, pkitest.Config{Key: kind})
		f.Add(a.Root.Raw)
		f.Add(a.Head().Certificate.Raw)
		f.Add(a.TSA().Certificate.Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) { readCertificate(t, der) })
}

// readCertificate: what parses is written again, and is what crypto/x509 reads, too.
func readCertificate(t *testing.T, der []byte) {
	c, err := pki.ParseCertificate(der)
	if err != nil {
		return
	}
	if !bytes.Equal(c.Raw, der) {
		t.Error("Raw is not what was given")
	}
	for _, n := range []struct {
		name pki.Name
		raw  []byte
	}{{c.Subject, c.RawSubject}, {c.Issuer, c.RawIssuer}} {
		if got, err := n.name.Marshal(); err != nil || !bytes.Equal(got, n.raw) {
			t.Errorf("name %x written %x, %v", n.raw, got, err)
		}
	}
	if again := rewritten(t, c); !bytes.Equal(again, c.RawTBS) && !bytes.Contains(c.RawTBS, []byte{1, 1, 0}) {
		t.Errorf("TBS %x written %x", c.RawTBS, again)
	}
	_, _, _, _ = c.Subject.String(), c.Holder(), c.ForSigning(), c.ForSignIn()
	if _, err := pki.NewPool().Chain(c, c.NotBefore); err == nil {
		t.Error("trusted by an empty pool")
	}
	if x, err := x509.ParseCertificate(der); err == nil {
		if x.SerialNumber.Cmp(c.Serial) != 0 || !bytes.Equal(x.RawSubject, c.RawSubject) || x.IsCA != c.IsCA || !x.NotAfter.Equal(c.NotAfter) || x.KeyUsage != x509.KeyUsage(c.KeyUsage) {
			t.Error("read otherwise by crypto/x509")
		}
	}
}

// rewritten is the TBS made again of what was parsed. The identifier of the algorithm and the types of
// the two times are taken as they were, and so are the unique identifiers of X.509 v2; a written FALSE
// is lost.
func rewritten(t *testing.T, c *pki.Certificate) []byte {
	t.Helper()
	var b cryptobyte.Builder
	raw := elements(t, c.RawTBS)
	at := 0
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if raw[0][0] == 0xa0 {
			b.AddBytes(raw[0])
			at++
		}
		b.AddASN1BigInt(c.Serial)
		b.AddBytes(raw[at+1])
		b.AddBytes(marshalled(t, c.Issuer))
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			times := elements(t, raw[at+3])
			addTimeAs(b, times[0][0], c.NotBefore)
			addTimeAs(b, times[1][0], c.NotAfter)
		})
		b.AddBytes(marshalled(t, c.Subject))
		b.AddBytes(c.RawSPKI)
		for _, rest := range raw[at+6:] {
			if rest[0] != 0xa3 {
				b.AddBytes(rest)
			}
		}
		if len(c.Extensions) > 0 {
			b.AddASN1(cbasn1.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { addAllExtensions(b, c.Extensions) })
		}
	})
	return b.BytesOrPanic()
}

func marshalled(t *testing.T, n pki.Name) []byte {
	t.Helper()
	der, err := n.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func addTimeAs(b *cryptobyte.Builder, tag byte, at time.Time) {
	layout := "060102150405Z"
	if tag == 24 {
		layout = "20060102150405Z"
	}
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes([]byte(at.Format(layout))) })
}

func addAllExtensions(b *cryptobyte.Builder, list []pki.Extension) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(e.OID)
				if e.Critical {
					b.AddASN1Boolean(true)
				}
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}

func FuzzParseName(f *testing.F) {
	for _, n := range []pki.Name{pki.SubjectName(pkitest.Person()), {{OID: pki.OIDCommonName, Value: "Қ", Tag: 30}, {OID: pki.OIDDomain, Value: "kz", Joined: true}}, nil} {
		der, err := n.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		n, err := pki.ParseName(der)
		if err != nil {
			return
		}
		if again, err := n.Marshal(); err != nil || !bytes.Equal(again, der) {
			t.Errorf("%x written %x, %v", der, again, err)
		}
		_ = n.String()
	})
}

func FuzzParseRequest(f *testing.F) {
	key := pkitest.NewKey(f, algid.GOST512)
	der, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: pki.SubjectName(pkitest.Person()), Emails: []string{"a@b.kz"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) { readRequest(t, der) })
}

func readRequest(t *testing.T, der []byte) {
	r, err := pki.ParseRequest(der)
	if err != nil {
		return
	}
	if got, err := r.Subject.Marshal(); err != nil || !bytes.Equal(got, r.RawSubject) {
		t.Errorf("name %x written %x, %v", r.RawSubject, got, err)
	}
	if again := pki.Assemble(r.RawInfo, r.Signature, r.SignatureValue); len(again) == len(der) && !bytes.Equal(again, der) {
		t.Errorf("%x written %x", der, again)
	}
	_ = r.CheckSignature()
}

func FuzzParseRevocationList(f *testing.F) {
	a := pkitest.New(f)
	f.Add(a.List())
	f.Add(a.List(a.Revoked(a.CA, pki.KeyCompromise), pki.Entry{Serial: big.NewInt(5), RevokedAt: a.Now}, pki.Entry{Serial: big.NewInt(200), RevokedAt: a.Now, InvalidAt: a.Now, HasReason: true}))
	f.Fuzz(func(t *testing.T, der []byte) { readList(t, der) })
}

// readList: every entry is found again, and written again.
func readList(t *testing.T, der []byte) {
	l, err := pki.ParseRevocationList(der)
	if err != nil {
		return
	}
	if l.Signature != 0 {
		if again := pki.Assemble(l.RawTBS, l.Signature, l.SignatureValue); len(again) == len(der) && !bytes.Equal(again, der) {
			t.Errorf("%x written %x", der, again)
		}
	}
	raw := rawEntries(t, l)
	n := 0
	for i, e := range l.Entries {
		n++
		if again, whole := rewrittenEntry(t, raw[i], e); whole && !bytes.Equal(again, raw[i]) {
			t.Errorf("entry %x written %x", raw[i], again)
		}
		if _, ok := l.Find(e.Serial); !ok {
			t.Errorf("%x not found", e.Serial)
		}
	}
	if n != l.Len() {
		t.Errorf("%d entries of %d", n, l.Len())
	}
}

// FuzzElements puts any element into any place of a certificate, a list, a request, the lengths around
// it made right: changes of bytes alone rarely pass the check of the whole.
func FuzzElements(f *testing.F) {
	a := pkitest.New(f)
	whole := [][]byte{a.Head().Certificate.Raw, a.CA.Raw, a.List(a.Revoked(a.CA, pki.KeyCompromise), pki.Entry{Serial: big.NewInt(200), RevokedAt: a.Now, InvalidAt: a.Now, HasReason: true}),
		pkitest.Request(f, pkitest.NewKey(f, algid.GOST512), pkitest.Person(), "a@b.kz")}
	for i := range whole {
		for which := range 40 {
			f.Add(uint8(i), uint16(which), []byte{5, 0})
			f.Add(uint8(i), uint16(which), []byte{0x30, 3, 2, 1, 5})
			f.Add(uint8(i), uint16(which), []byte{24, 15, '2', '0', '2', '6', '0', '9', '0', '1', '1', '0', '0', '0', '0', '0', 'Z'})
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, which uint16, element []byte) {
		der := pkitest.Graft(whole[int(kind)%len(whole)], int(which), element)
		readCertificate(t, der)
		readList(t, der)
		readRequest(t, der)
	})
}

// rawEntries are the entries as they stand.
func rawEntries(t *testing.T, l *pki.RevocationList) [][]byte {
	t.Helper()
	if l.Len() == 0 {
		return nil
	}
	list := elements(t, l.RawTBS)
	at := 0 // version, algorithm, issuer, thisUpdate and nextUpdate before them
	for i := range list {
		if list[i][0] == 23 || list[i][0] == 24 {
			at = i + 1
		}
	}
	return elements(t, list[at])
}

// rewrittenEntry is an entry made again of what was parsed; whole is false when there was something in
// it that no field holds: another extension, a criticality.
func rewrittenEntry(t *testing.T, raw []byte, e pki.Entry) (again []byte, whole bool) {
	t.Helper()
	parts := elements(t, raw)
	var list []pki.Extension
	if e.HasReason {
		list = append(list, pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 21}, Value: []byte{10, 1, byte(e.Reason)}})
	}
	if !e.InvalidAt.IsZero() {
		list = append(list, pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: append([]byte{24, 15}, e.InvalidAt.Format("20060102150405Z")...)})
	}
	if len(parts) > 2 {
		found := elements(t, parts[2])
		if len(found) != len(list) || bytes.Contains(parts[2], []byte{1, 1, 0}) || bytes.Contains(parts[2], []byte{1, 1, 0xff}) {
			return nil, false
		}
		if len(found) == 2 && bytes.Contains(found[0], []byte{0x55, 0x1d, 24}) {
			list[0], list[1] = list[1], list[0]
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(e.Serial)
		addTimeAs(b, parts[1][0], e.RevokedAt)
		if list != nil {
			addAllExtensions(b, list)
		}
	})
	return b.BytesOrPanic(), true
}

func FuzzDecode(f *testing.F) {
	a := pkitest.New(f)
	f.Add(a.CA.Raw)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.CA.Raw}))
	f.Add([]byte("MAA="))
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := pki.Decode(data)
		if (err == nil) != (len(blocks) > 0) {
			t.Errorf("%d blocks and %v", len(blocks), err)
		}
	})
}

// FuzzPathExtensions puts any bytes into an extension of path validation, of the authority, the leaf
// or the list. Nothing may panic or take long; and since the bytes only ever add conditions, a leaf
// on the list stays refused.
func FuzzPathExtensions(f *testing.F) {
	for i, seed := range [][]byte{
		{0x30, 3, 0x80, 1, 0}, {0x02, 1, 0}, {0x30, 8, 0x30, 6, 6, 1, 42, 6, 1, 43}, {0x30, 3, 0x82, 1, 0xff},
		{0x30, 8, 0xa0, 6, 0x30, 4, 0x82, 2, 'k', 'z'}, {0x30, 4, 0x83, 2, 5, 0x60}, {0x30, 4, 0xa0, 2, 0xa0, 0},
	} {
		f.Add(uint8(i), seed)
	}
	arcs := []int{36, 54, 33, 28, 30, 31, 32, 17, 46, 29}
	rootKey, tpl := keyAndTemplate(f)
	root, err := parseSigned(f, rootKey, tpl)
	if err != nil {
		f.Fatal(err)
	}
	revoked := list(f, root, rootKey, pki.ListTemplate{Number: big.NewInt(1), Entries: entry(5, pki.KeyCompromise)})
	f.Fuzz(func(t *testing.T, which uint8, value []byte) {
		if len(value) > 4<<10 {
			return
		}
		e := pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, arcs[int(which)%len(arcs)]}, Value: value}
		with := func(name string, serial int64, isCA bool) (*pki.Certificate, error) {
			made := *tpl
			made.Subject = pki.Name{pki.NewAttribute(pki.OIDCommonName, name)}
			made.Serial, made.RawIssuer, made.IsCA, made.Extra = big.NewInt(serial), root.RawSubject, isCA, []pki.Extension{e}
			if !isCA {
				made.KeyUsage = pki.DigitalSignature
			}
			return parseSigned(t, rootKey, &made)
		}
		pool := pki.NewPool()
		pool.AddRoot(root)
		if middle, err := with("root", 4, true); err == nil { // self-issued, the same key
			pool.AddIntermediate(middle)
		}
		if leaf, err := with("leaf", 5, false); err == nil {
			_, err := pool.Validate(leaf, pki.Rules{At: testNow, Revocation: true, ExplicitPolicy: which&16 != 0, Lists: []*pki.RevocationList{revoked}})
			if err == nil {
				t.Error("a revoked leaf passed")
			}
		}
	})
}
