package pki_test

import (
	"encoding/asn1"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/pki"
)

// tree is a subtree of a name constraint: the tag of the GeneralName and its content.
type tree struct {
	tag     cbasn1.Tag
	content string
}

func kind(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }

func constraintsOf(permitted, excluded []tree) []pki.Extension {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for n, trees := range [][]tree{permitted, excluded} {
			if len(trees) == 0 {
				continue
			}
			b.AddASN1(kind(uint8(n)).Constructed(), func(b *cryptobyte.Builder) {
				for _, t := range trees {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(t.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(t.content)) })
					})
				}
			})
		}
	})
	return []pki.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: b.BytesOrPanic()}}
}

func nameDER(t *testing.T, organization string) string {
	der, err := pki.Name{pki.NewAttribute(pki.OIDOrganization, organization)}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(der)
}

// A root with constraints, a leaf with one name: within or without.
func TestNameConstraints(t *testing.T) {
	mail := func(s string) []tree { return []tree{{kind(1), s}} }
	host := func(s string) []tree { return []tree{{kind(2), s}} }
	uri := func(s string) []tree { return []tree{{kind(6), s}} }
	ip := func(s string) []tree { return []tree{{kind(7), s}} }
	dir := func(s string) []tree { return []tree{{kind(4).Constructed(), nameDER(t, s)}} }
	other := []tree{{kind(0).Constructed(), "\x06\x03\x2a\x03\x04\xa0\x02\x05\x00"}}
	for _, c := range []struct {
		permitted, excluded, san []tree
		good                     bool
	}{
		{mail("example.kz"), nil, mail("a@example.kz"), true},
		{mail("example.kz"), nil, mail("a@EXAMPLE.kz"), true},
		{mail("example.kz"), nil, mail("a@sub.example.kz"), false},
		{mail(".example.kz"), nil, mail("a@sub.example.kz"), true},
		{mail(".example.kz"), nil, mail("a@example.kz"), false},
		{mail("a@example.kz"), nil, mail("a@example.kz"), true},
		{mail("a@example.kz"), nil, mail("b@example.kz"), false},
		{mail("example.kz"), nil, mail("example.kz"), false},
		{nil, mail("example.kz"), mail("a@example.kz"), false},
		{nil, mail("example.kz"), mail("a@example.org"), true},
		{mail("example.kz"), nil, host("anything.org"), true},
		{host("example.kz"), nil, host("a.b.example.kz"), true},
		{host("example.kz"), nil, host("badexample.kz"), false},
		{host("example.kz"), nil, host("*.example.kz"), true},
		{host("a.example.kz"), nil, host("*.example.kz"), false},
		{nil, host("a.example.kz"), host("*.example.kz"), false},
		{nil, host("b.a.example.kz"), host("*.example.kz"), true},
		{host("example.kz"), nil, host("-..example.kz"), false},
		{uri("example.kz"), nil, uri("https://example.kz/x"), true},
		{uri("example.kz"), nil, uri("https://a.example.kz/x"), false},
		{uri(".example.kz"), nil, uri("https://a.example.kz:8443/x"), true},
		{nil, uri("example.kz"), uri("urn:x"), false},
		{nil, uri("example.kz"), uri("https://127.0.0.1/"), false},
		{ip("\x0a\x00\x00\x00\xff\x00\x00\x00"), nil, ip("\x0a\x01\x02\x03"), true},
		{ip("\x0a\x00\x00\x00\xff\x00\x00\x00"), nil, ip("\x0b\x01\x02\x03"), false},
		{nil, ip("\x0a\x00\x00\x00\xff\x00\x00\x00"), ip("\x0a\x01\x02\x03"), false},
		{ip("\x0a\x00\x00\x00\xff\x00\x00\x00"), nil, ip("\x0a\x01\x02"), false},
		{nil, dir("ДОСТЫК"), dir("ДОСТЫК"), false},
		{nil, dir("ДОСТЫК"), dir("  Достык "), false}, // a change of case or spacing slips past nothing
		{nil, dir("ДОСТЫК"), dir("ДОСТЫК 2"), true},
		{nil, other, other, false},
		{nil, other, mail("a@example.kz"), true},
	} {
		root, key := ca(t, "root", nil, nil, func(tpl *pki.Template) { tpl.Extra = constraintsOf(c.permitted, c.excluded) })
		leaf := end(t, root, key, func(tpl *pki.Template) { tpl.Extra = []pki.Extension{altName(c.san[0])} })
		pool := pki.NewPool()
		pool.AddRoot(root)
		if _, err := pool.Chain(leaf, testNow); (err == nil) != c.good {
			t.Errorf("permitted %q, excluded %q, name %q: %v", c.permitted, c.excluded, c.san, err)
		}
	}
}

func altName(n tree) pki.Extension {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(n.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(n.content)) })
	})
	return pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: b.BytesOrPanic()}
}

// Constraints that are no constraints are refused when read.
func TestNameConstraintsMalformed(t *testing.T) {
	for name, e := range map[string][]pki.Extension{
		"empty":                constraintsOf(nil, nil),
		"host with a wildcard": constraintsOf([]tree{{kind(2), "*.example.kz"}}, nil),
		"host with a dot":      constraintsOf([]tree{{kind(2), ".example.kz"}}, nil),
		"odd address":          constraintsOf([]tree{{kind(7), "\x0a\x00\x00\x00"}}, nil),
		"mask with a hole":     constraintsOf([]tree{{kind(7), "\x0a\x00\x00\x00\xff\x00\xff\x00"}}, nil),
		"mail without a host":  constraintsOf([]tree{{kind(1), "a@"}}, nil),
	} {
		key, tpl := keyAndTemplate(t)
		tpl.Extra = e
		if _, err := parseSigned(t, key, tpl); err == nil || !strings.Contains(err.Error(), "2.5.29.30") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Many names under many constraints are refused before they cost anything.
func TestNameConstraintsBounded(t *testing.T) {
	var trees, names []tree
	for range 1000 {
		trees = append(trees, tree{kind(1), "example.kz"})
		names = append(names, tree{kind(1), "a@example.org"})
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, n := range names {
			b.AddASN1(n.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(n.content)) })
		}
	})
	root, key := ca(t, "root", nil, nil, func(tpl *pki.Template) { tpl.Extra = constraintsOf(nil, trees) })
	leaf := end(t, root, key, func(tpl *pki.Template) {
		tpl.Extra = []pki.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: b.BytesOrPanic()}}
	})
	pool := pki.NewPool()
	pool.AddRoot(root)
	if _, err := pool.Chain(leaf, testNow); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("%v", err)
	}
}
