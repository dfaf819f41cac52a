package pki_test

import (
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

	"senim/pki"
)

var testNow = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// end makes a leaf under issuer.
func end(t testing.TB, issuer *pki.Certificate, key crypto.Signer, change func(*pki.Template)) *pki.Certificate {
	leaf, _ := ca(t, "leaf", issuer, key, func(tpl *pki.Template) {
		tpl.Serial, tpl.IsCA, tpl.KeyUsage = big.NewInt(5), false, pki.DigitalSignature
		if change != nil {
			change(tpl)
		}
	})
	return leaf
}

func list(t testing.TB, issuer *pki.Certificate, key crypto.Signer, tpl pki.ListTemplate) *pki.RevocationList {
	t.Helper()
	if tpl.ThisUpdate.IsZero() {
		tpl.ThisUpdate = testNow.Add(-time.Hour)
	}
	if tpl.NextUpdate.IsZero() {
		tpl.NextUpdate = tpl.ThisUpdate.Add(24 * time.Hour)
	}
	der, err := pki.CreateRevocationList(rand.Reader, key, issuer, tpl)
	if err != nil {
		t.Fatal(err)
	}
	l, err := pki.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func entry(serial int64, reason pki.Reason) []pki.Entry {
	return []pki.Entry{{Serial: big.NewInt(serial), RevokedAt: testNow.AddDate(0, -1, 0), Reason: reason, HasReason: true}}
}

// Lists decide: good, revoked, or not determined, which is never good.
func TestValidateRevocation(t *testing.T) {
	root, key := ca(t, "root", nil, nil, nil)
	other, otherKey := ca(t, "root", nil, nil, nil) // the same name, another key, not trusted
	leaf := end(t, root, key, nil)
	n := big.NewInt
	full := list(t, root, key, pki.ListTemplate{Number: n(7)})
	revoking := list(t, root, key, pki.ListTemplate{Number: n(8), ThisUpdate: testNow.Add(-time.Minute), Entries: entry(5, pki.KeyCompromise)})
	held := list(t, root, key, pki.ListTemplate{Number: n(7), Entries: entry(5, pki.CertificateHold)})
	delta := func(base int64, this time.Time, e []pki.Entry) *pki.RevocationList {
		return list(t, root, key, pki.ListTemplate{Number: n(9), BaseNumber: n(base), ThisUpdate: this, Entries: e})
	}
	soon := testNow.Add(-time.Minute)
	for name, c := range map[string]struct {
		lists []*pki.RevocationList
		want  string
	}{
		"no list":                 {nil, "undetermined"},
		"a full list":             {[]*pki.RevocationList{full}, "good"},
		"revoked":                 {[]*pki.RevocationList{revoking}, "revoked"},
		"the newer list decides":  {[]*pki.RevocationList{full, revoking}, "revoked"},
		"released from hold":      {[]*pki.RevocationList{held, list(t, root, key, pki.ListTemplate{Number: n(8), ThisUpdate: soon})}, "good"},
		"of another key":          {[]*pki.RevocationList{list(t, other, otherKey, pki.ListTemplate{Number: n(7)})}, "undetermined"},
		"ended":                   {[]*pki.RevocationList{list(t, root, key, pki.ListTemplate{Number: n(7), ThisUpdate: testNow.AddDate(0, -1, 0)})}, "undetermined"},
		"of tomorrow":             {[]*pki.RevocationList{list(t, root, key, pki.ListTemplate{Number: n(7), ThisUpdate: testNow.Add(time.Hour)})}, "undetermined"},
		"a delta alone":           {[]*pki.RevocationList{delta(7, soon, nil)}, "undetermined"},
		"a delta revokes":         {[]*pki.RevocationList{full, delta(7, soon, entry(5, pki.Superseded))}, "revoked"},
		"a delta releases":        {[]*pki.RevocationList{held, delta(7, soon, entry(5, pki.RemoveFromCRL))}, "good"},
		"a delta to a later list": {[]*pki.RevocationList{held, delta(8, soon, entry(5, pki.RemoveFromCRL))}, "revoked"},
		"a delta older than it":   {[]*pki.RevocationList{held, delta(7, testNow.Add(-2*time.Hour), entry(5, pki.RemoveFromCRL))}, "revoked"},
	} {
		pool := pki.NewPool()
		pool.AddRoot(root)
		pool.AddIntermediate(other)
		_, err := pool.Validate(leaf, pki.Rules{At: testNow, Revocation: true, Lists: c.lists})
		got := "good"
		var revoked *pki.RevokedError
		switch {
		case errors.As(err, &revoked) && revoked.Cert == leaf:
			got = "revoked"
		case errors.Is(err, pki.ErrUndetermined):
			got = "undetermined"
		case err != nil:
			got = err.Error()
		}
		if got != c.want || (err != nil) != errors.Is(err, pki.ErrUntrusted) {
			t.Errorf("%s: want %s, got %v", name, c.want, err)
		}
	}
}

// A divided list speaks only of its part.
func TestValidateDividedLists(t *testing.T) {
	root, key := ca(t, "root", nil, nil, nil)
	leaf := end(t, root, key, nil)
	pool := pki.NewPool()
	pool.AddRoot(root)
	scope := func(value ...byte) pki.Extension {
		return pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: append([]byte{0x30, byte(len(value))}, value...)}
	}
	for name, c := range map[string]struct {
		lists [][]byte
		good  bool
	}{
		"of users":                 {[][]byte{{0x81, 1, 0xff}}, true},
		"of authorities":           {[][]byte{{0x82, 1, 0xff}}, false},
		"of attribute authorities": {[][]byte{{0x85, 1, 0xff}}, false},
		"some reasons":             {[][]byte{{0x83, 2, 0, 0x60}}, false},
		"all reasons, in two":      {[][]byte{{0x83, 2, 5, 0x60}, {0x83, 3, 7, 0x1f, 0x80}}, true},
	} {
		var lists []*pki.RevocationList
		for _, value := range c.lists {
			lists = append(lists, listWith(t, root, key, scope(value...)))
		}
		if _, err := pool.Validate(leaf, pki.Rules{At: testNow, Revocation: true, Lists: lists}); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if err := lists[0].CheckSignatureFrom(root); err == nil {
			t.Errorf("%s: a plain reader took it for a whole list", name)
		}
	}
}

// listWith signs an empty list with one more extension.
func listWith(t *testing.T, issuer *pki.Certificate, key crypto.Signer, e pki.Extension) *pki.RevocationList {
	t.Helper()
	tpl := pki.ListTemplate{Number: big.NewInt(7), ThisUpdate: testNow.Add(-time.Hour), NextUpdate: testNow.Add(time.Hour)}
	tbs, err := tpl.TBS(issuer)
	if err != nil {
		t.Fatal(err)
	}
	return resign(t, key, tbs, e)
}

// resign puts e behind the extensions of the TBS and signs.
func resign(t *testing.T, key crypto.Signer, tbs []byte, e pki.Extension) *pki.RevocationList {
	t.Helper()
	in := cryptobyte.String(tbs)
	var body, rest, wrapped, list cryptobyte.String
	var elements []cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		t.Fatal("no TBS")
	}
	for !body.Empty() {
		var tag cbasn1.Tag
		if !body.ReadAnyASN1Element(&rest, &tag) {
			t.Fatal("no TBS")
		}
		elements = append(elements, rest)
	}
	last := elements[len(elements)-1]
	if !last.ReadASN1(&wrapped, cbasn1.Tag(0).ContextSpecific().Constructed()) || !wrapped.ReadASN1(&list, cbasn1.SEQUENCE) {
		t.Fatal("no extensions")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range elements[:len(elements)-1] {
			b.AddBytes(e)
		}
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(list)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(e.OID)
					b.AddASN1Boolean(e.Critical)
					b.AddASN1OctetString(e.Value)
				})
			})
		})
	})
	return signedList(t, key, b.BytesOrPanic())
}

// Policies: asked for, mapped, inhibited.
func TestValidatePolicies(t *testing.T) {
	one, two := asn1.ObjectIdentifier{1, 2, 398, 9, 1}, asn1.ObjectIdentifier{1, 2, 398, 9, 2}
	mapping := func(from, to asn1.ObjectIdentifier) []pki.Extension {
		der, err := asn1.Marshal([][]asn1.ObjectIdentifier{{from, to}})
		if err != nil {
			t.Fatal(err)
		}
		return []pki.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 33}, Critical: true, Value: der}}
	}
	policies := func(oids ...asn1.ObjectIdentifier) (list []pki.Policy) {
		for _, oid := range oids {
			list = append(list, pki.Policy{OID: oid})
		}
		return list
	}
	for name, c := range map[string]struct {
		middle, leaf []pki.Policy
		extra        []pki.Extension
		rules        pki.Rules
		want         string // policies of the path, "refused"
	}{
		"none asked, none there":   {nil, nil, nil, pki.Rules{}, ""},
		"any good":                 {policies(one), policies(one), nil, pki.Rules{ExplicitPolicy: true}, one.String()},
		"asked and there":          {policies(one, two), policies(two), nil, pki.Rules{ExplicitPolicy: true, Policies: policiesOf(two)}, two.String()},
		"asked and not there":      {policies(one), policies(one), nil, pki.Rules{ExplicitPolicy: true, Policies: policiesOf(two)}, "refused"},
		"the issuer may not":       {policies(one), policies(two), nil, pki.Rules{ExplicitPolicy: true}, "refused"},
		"not demanded":             {policies(one), policies(two), nil, pki.Rules{}, ""},
		"any above":                {policies(pki.AnyPolicy), policies(two), nil, pki.Rules{ExplicitPolicy: true}, two.String()},
		"any inhibited":            {policies(pki.AnyPolicy), policies(two), nil, pki.Rules{ExplicitPolicy: true, InhibitAny: true}, "refused"},
		"mapped":                   {policies(one), policies(two), mapping(one, two), pki.Rules{ExplicitPolicy: true, Policies: policiesOf(one)}, one.String()},
		"mapped, and inhibited":    {policies(one), policies(two), mapping(one, two), pki.Rules{ExplicitPolicy: true, InhibitMapping: true}, "refused"},
		"any may not be mapped":    {policies(one), policies(one), mapping(pki.AnyPolicy, two), pki.Rules{}, "refused"},
		"mapped to where it is no": {policies(one), policies(one), mapping(one, two), pki.Rules{ExplicitPolicy: true}, "refused"},
	} {
		root, rootKey := ca(t, "root", nil, nil, nil)
		middle, key := ca(t, "middle", root, rootKey, func(t *pki.Template) { t.Policies, t.Extra = c.middle, c.extra })
		leaf := end(t, middle, key, func(t *pki.Template) { t.Policies = c.leaf })
		pool := pki.NewPool()
		pool.AddRoot(root)
		pool.AddIntermediate(middle)
		c.rules.At = testNow
		path, err := pool.Validate(leaf, c.rules)
		got := "refused"
		if err == nil {
			var all []string
			for _, oid := range path.Policies {
				all = append(all, oid.String())
			}
			got = strings.Join(all, " ")
		}
		if got != c.want {
			t.Errorf("%s: want %q, got %q, %v", name, c.want, got, err)
		}
	}
}

func policiesOf(oids ...asn1.ObjectIdentifier) []asn1.ObjectIdentifier { return oids }

// Mappings that make the tree of RFC 5280 grow like 40⁸ cost nothing here.
func TestPolicyBomb(t *testing.T) {
	var all []pki.Policy
	var pairs [][]asn1.ObjectIdentifier
	for i := range 40 {
		all = append(all, pki.Policy{OID: asn1.ObjectIdentifier{1, 2, 398, 9, i}})
		for j := range 25 {
			pairs = append(pairs, []asn1.ObjectIdentifier{{1, 2, 398, 9, i}, {1, 2, 398, 9, j}})
		}
	}
	der, err := asn1.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	parent, key := ca(t, "root", nil, nil, nil)
	pool := pki.NewPool()
	pool.AddRoot(parent)
	for i := range 8 {
		parent, key = ca(t, string(rune('a'+i)), parent, key, func(t *pki.Template) {
			t.Policies, t.Extra = all, []pki.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 33}, Critical: true, Value: der}}
		})
		pool.AddIntermediate(parent)
	}
	leaf := end(t, parent, key, func(t *pki.Template) { t.Policies = all[:1] })
	path, err := pool.Validate(leaf, pki.Rules{At: testNow, ExplicitPolicy: true})
	if err != nil || len(path.Policies) != 40 {
		t.Errorf("%v", err)
	}
}
