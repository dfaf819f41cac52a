package dsig

import (
	"encoding/hex"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
)

// hashStart is the beginning of Streebog-512 of b, as crypto.md §16 prints it.
func hashStart(b []byte) string { return hex.EncodeToString(algid.Streebog512.Sum(b))[:16] }

// signedInfo is the canonical form of the SignedInfo of the only signature.
func signedInfo(t *testing.T, d *Document) []byte {
	t.Helper()
	s, err := readSignature(d.allSignatures()[0])
	if err != nil {
		t.Fatal(err)
	}
	return s.infoMethod.canonicalize(s.info)
}

// The checkpoints of crypto.md §16, and the verdicts.
func TestRealDocuments(t *testing.T) {
	for _, c := range []struct {
		file, doc, info   string
		docSize, infoSize int
		place             *Place
	}{
		{"kalkan-oracle/test_gost512.xml_simple.xml", "3b0185ca66f9488d", "9a2bdea1132b6949", 47, 844, nil},
		{"kalkan-oracle/test_gost512.xml_xpath.xml", "c67d799339cb63ba", "bc13102705fc322c", 25, 745, &Place{Element: "/root/a", Parent: "/root"}},
		{"xml/gost512_ceo_enveloped_test.xml", "99ece6577099e846", "027691dd0cc9badb", 48, 844, nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			d, err := Parse(pkitest.Fixture(t, c.file))
			if err != nil {
				t.Fatal(err)
			}
			verify := d.VerifyOne
			if c.place != nil {
				verify = func() (*Verified, error) { return d.VerifyElement(*c.place) }
				if _, err := d.VerifyOne(); err == nil {
					t.Error("a signature over one element passes for one over the document")
				}
			}
			v, err := verify()
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Signed) != c.docSize || hashStart(v.Signed) != c.doc {
				t.Errorf("signed %d bytes %s: %q", len(v.Signed), hashStart(v.Signed), v.Signed)
			}
			if info := signedInfo(t, d); len(info) != c.infoSize || hashStart(info) != c.info {
				t.Errorf("SignedInfo %d bytes %s", len(info), hashStart(info))
			}
			if v.Method != algid.GOST512Sig || v.Weak || v.Certificate == nil {
				t.Errorf("method %v", v.Method)
			}
			if n := len(d.Signers()); n != 1 {
				t.Errorf("%d signers claimed", n)
			}
		})
	}
}

func TestRealDocumentChanged(t *testing.T) {
	src := string(pkitest.Fixture(t, "kalkan-oracle/test_gost512.xml_simple.xml"))
	for name, change := range map[string][2]string{
		"text":      {"<a>1</a>", "<a>2</a>"},
		"attribute": {`attr="x"`, `attr="y"`},
		"digest":    {"OwGF", "OwGG"},
		"signature": {"XYwH", "XYwI"},
		"algorithm": {"gostr34112015-512", "gostr34112015-256"},
	} {
		d, err := Parse([]byte(strings.Replace(src, change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Verify(); err == nil {
			t.Errorf("%s changed: verifies", name)
		}
	}
	// What the canonical form does not see may change.
	for name, change := range map[string][2]string{
		"quotes":  {`attr="x"`, `attr = 'x' `},
		"comment": {"<a>1</a>", "<a>1<!-- one --></a>"},
		"cdata":   {"<a>1</a>", "<a><![CDATA[1]]></a>"},
		"around":  {"<root>", "<?xml version='1.0'?><!-- x -->\n<root >"},
	} {
		d, err := Parse([]byte(strings.Replace(src, change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		v, err := d.VerifyOne()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := v.Element.Child("a").Text; got != "1" {
			t.Errorf("%s: view says %q", name, got)
		}
	}
}
