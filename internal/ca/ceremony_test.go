package ca

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// sides are an offline root and an online installation, each with its own store and keys.
type sides struct {
	root, online *bench
	c            Ceremony
	notes        []string
}

func newSides() *sides {
	clock := &clock{t: start}
	s := &sides{root: &bench{store: newMemory(), keys: &memoryKeys{}, clock: clock}, online: &bench{store: newMemory(), keys: &memoryKeys{}, clock: clock}}
	s.c = Ceremony{Store: s.online.store, Keys: s.online.keys, Upper: &Place{s.root.store, s.root.keys}, By: "tester", Now: clock.now,
		Note: func(line string) error { s.notes = append(s.notes, line); return nil }}
	return s
}

// upperOnly and onlineOnly are the ceremonies of one side.
func (s *sides) upperOnly() Ceremony  { c := s.c; c.Store, c.Keys = nil, nil; return c }
func (s *sides) onlineOnly() Ceremony { c := s.c; c.Upper = nil; return c }

func (s *sides) create(t *testing.T, plans ...Plan) {
	t.Helper()
	c := s.c
	c.Plans = plans
	if err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s.online.open(t)
}

func newRoot(name, cn string) AuthorityPlan {
	return AuthorityPlan{Name: name, Algorithm: algid.GOST512, CommonName: cn, PathLength: Unlimited}
}

func under(parent, name, cn string) AuthorityPlan {
	return AuthorityPlan{Name: name, Parent: parent, Algorithm: algid.GOST512, CommonName: cn, Address: "http://pki.example.kz"}
}

// TestRootIsApart: the root's key is never in the online place, and nothing online needs it.
func TestRootIsApart(t *testing.T) {
	s := newSides()
	s.create(t, gostPlan())
	if s.online.keys.keys["root_gost"] != nil || s.root.keys.keys["root_gost"] == nil || len(s.root.keys.keys) != 1 {
		t.Errorf("keys: %v online, %v at the root", len(s.online.keys.keys), len(s.root.keys.keys))
	}
	s.root.keys.watch = func(name string, _ []byte) { t.Errorf("%s signs by itself", name) }
	_, cert := mustIssue(t, s.online, order(t, "A-1"))
	if err := s.online.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	pool := pki.NewPool()
	for _, a := range s.online.Authorities() {
		if a.Parent == "" {
			pool.AddRoot(a.Certificate)
		} else {
			pool.AddIntermediate(a.Certificate)
		}
		if _, err := s.online.CRL(t.Context(), a.Name, false); err != nil {
			t.Errorf("list of %s: %v", a.Name, err)
		}
	}
	if chain, err := pool.Chain(cert, start); err != nil || len(chain) != 3 {
		t.Errorf("chain of %d: %v", len(chain), err)
	}
	if _, err := s.online.authorities["root_gost"].open(t.Context()); err == nil {
		t.Error("the root's key opened online")
	}
}

// TestServices: OCSP and TSA keys are made; a TSA gets a new key when its certificate has two years
// left, a retired authority none, one of before its first.
func TestServices(t *testing.T) {
	b := newBench(t)
	signer := func(kind string) (SignerRecord, error) {
		var r SignerRecord
		err := b.store.View(t.Context(), func(tx Tx) (err error) {
			r, err = tx.Signer(t.Context(), "gost", kind)
			return err
		})
		return r, err
	}
	first, err := signer(SignerTSA)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := pki.ParseCertificate(first.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if !cert.HasUsage(pki.TimeStamping) || cert.Subject.Get(pki.OIDCommonName) != "TIME-STAMPING AUTHORITY" || cert.NotAfter.Sub(cert.NotBefore) > 1095*24*time.Hour {
		t.Errorf("certificate: %s %s to %s", cert.Subject, cert.NotBefore, cert.NotAfter)
	}
	for _, tt := range []struct {
		days    int
		renewed bool
	}{{364, false}, {2, true}, {1, false}} {
		b.clock.move(time.Duration(tt.days) * 24 * time.Hour)
		if err := b.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
		now, err := signer(SignerTSA)
		if err != nil || (now.Serial != first.Serial) != tt.renewed {
			t.Errorf("after %d days more: renewed is %t, %v", tt.days, now.Serial != first.Serial, err)
		}
		first = now
	}
	b.store.d.signers = slices.DeleteFunc(b.store.d.signers, func(r SignerRecord) bool { return r.Kind == SignerTSA })
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := signer(SignerTSA); err != nil {
		t.Errorf("an installation of before: %v", err)
	}
	// At the end of the authority nothing is made again and again.
	b.clock.move(b.authorities["gost"].cert.NotAfter.Sub(b.clock.now()) - 24*time.Hour)
	for range 3 {
		if err := b.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.store.d.signers); n > 5 {
		t.Errorf("%d signers", n)
	}
}

// TestRequestAndInstall goes the whole way of an authority that an offline root certifies.
func TestRequestAndInstall(t *testing.T) {
	s := newSides()
	upper, online := s.upperOnly(), s.onlineOnly()
	upper.Authorities = []AuthorityPlan{newRoot("root_gost", "ROOT")}
	if err := Create(t.Context(), upper); err != nil {
		t.Fatal(err)
	}
	upper.Authorities = nil
	p := under("root_gost", "gost", "ISSUING")
	csr, err := Request(t.Context(), online, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Request(t.Context(), online, p); err == nil {
		t.Error("requested twice under one name")
	}
	if _, err := Open(t.Context(), Config{Store: s.online.store, Keys: s.online.keys}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an authority that is only requested: %v", err)
	}
	cert, err := SignRequest(t.Context(), upper, p, csr)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := SignRequest(t.Context(), upper, p, csr); err != nil || again.SerialHex() != cert.SerialHex() {
		t.Errorf("the same request again: %v", err)
	}
	for name, spoil := range map[string]func(*AuthorityPlan){
		"common-name": func(p *AuthorityPlan) { p.CommonName = "ANOTHER" },
		"parent":      func(p *AuthorityPlan) { p.Parent = "none" },
		"algorithm":   func(p *AuthorityPlan) { p.Algorithm, p.Bits = algid.RSA, 2048 },
	} {
		wrong := p
		spoil(&wrong)
		_, err := SignRequest(t.Context(), upper, wrong, csr)
		if e, ok := errors.AsType[*PlanError](err); !ok || e.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := slices.Clone(csr)
	broken[len(broken)-1] ^= 1
	if _, err := SignRequest(t.Context(), upper, p, broken); err == nil {
		t.Error("possession was not proved")
	}

	root, list := s.published(t, "root_gost")
	all := []Named{{"gost", cert.Raw}, {"root_gost", root.Raw}}
	pinned := [][32]byte{root.Fingerprint()}
	for name, w := range map[string]Arrival{
		"a root nobody compared":   {Certificates: all, Lists: [][]byte{list}},
		"without the root's list":  {Certificates: all, Roots: pinned},
		"without the root":         {Certificates: all[:1], Lists: [][]byte{list}, Roots: pinned},
		"under another name":       {Certificates: []Named{{"other", cert.Raw}, all[1]}, Lists: [][]byte{list}, Roots: pinned},
		"a list of somebody else":  {Certificates: all, Lists: [][]byte{list, pkitest.New(t).List()}, Roots: pinned},
		"a leaf of somebody else":  {Certificates: append(slices.Clone(all), Named{"x", pkitest.New(t).Individual().Certificate.Raw}), Lists: [][]byte{list}, Roots: pinned},
		"the root under two names": {Certificates: append(slices.Clone(all), Named{"root_x", root.Raw}), Lists: [][]byte{list}, Roots: pinned},
	} {
		if err := Install(t.Context(), online, w); err == nil {
			t.Errorf("%s: installed", name)
		}
	}
	if n := len(s.online.store.snapshot().authorities); n != 0 {
		t.Fatalf("%d authorities after refusals", n)
	}
	good := Arrival{Certificates: all, Lists: [][]byte{list}, Roots: pinned}
	if err := Install(t.Context(), online, good); err != nil {
		t.Fatal(err)
	}
	if err := Install(t.Context(), online, good); err != nil {
		t.Errorf("the same files again: %v", err)
	}
	s.online.open(t)
	mustIssue(t, s.online, order(t, "A-1"))

	// The root revokes it: once the list is here, it issues no more, and still answers.
	next, err := RevokeAuthority(t.Context(), upper, "root_gost", cert.SerialHex(), CessationOfOperation)
	if err != nil || next.Number != 2 {
		t.Fatalf("list %+v: %v", next, err)
	}
	if _, err := RevokeAuthority(t.Context(), upper, "root_gost", cert.SerialHex(), CessationOfOperation); !errors.Is(err, ErrExists) {
		t.Errorf("revoked twice: %v", err)
	}
	if _, err := RevokeAuthority(t.Context(), upper, "root_gost", root.SerialHex(), KeyCompromise); !errors.Is(err, ErrNotFound) {
		t.Errorf("a root by itself: %v", err)
	}
	if err := Install(t.Context(), online, Arrival{Lists: [][]byte{next.Raw}}); err != nil {
		t.Fatal(err)
	}
	if err := Install(t.Context(), online, Arrival{Lists: [][]byte{list}}); err == nil {
		t.Error("an older list was taken")
	}
	s.online.open(t)
	if _, err := s.online.Issue(t.Context(), order(t, "A-2")); err == nil {
		t.Error("a revoked authority issued")
	}
	if err := s.online.Publish(t.Context(), "gost"); err != nil {
		t.Errorf("a revoked authority publishes its lists: %v", err)
	}
}

// published is a root's certificate and newest list.
func (s *sides) published(t *testing.T, name string) (*pki.Certificate, []byte) {
	t.Helper()
	d := s.root.store.snapshot()
	cert, err := pki.ParseCertificate(d.authorities[name].Raw)
	if err != nil {
		t.Fatal(err)
	}
	l, err := newest(t.Context(), &memoryTx{&d}, name)
	if err != nil {
		t.Fatal(err)
	}
	return cert, l.Raw
}

// TestRollover makes a second generation: the old authority answers and issues no more, and holders of
// either root build paths to what either generation issued, by our rules and by Go's.
func TestRollover(t *testing.T) {
	s := newSides()
	s.create(t, rsaPlan())
	before := order(t, "A-1")
	before.Profile, before.CSR = "individual-sign", request(t, rsaKey(t))
	old, oldLeaf := mustIssue(t, s.online, before)
	next, err := NextGeneration(t.Context(), s.c, "rsa", true)
	if err != nil || len(next) != 2 || next[0].Name != "root_rsa2" || next[1].Name != "rsa2" || next[1].CommonName != rsaPlan().IssuingName+" G2" {
		t.Fatalf("%+v %v", next, err)
	}
	c := s.c
	c.Authorities = next
	if err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s.online.open(t)
	after := order(t, "A-2")
	after.Profile, after.CSR = "individual-sign", request(t, rsaKey(t))
	made, newLeaf := mustIssue(t, s.online, after)
	if old.CA != "rsa" || made.CA != "rsa2" {
		t.Errorf("issued by %s and %s", old.CA, made.CA)
	}
	if err := s.online.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, serial := range map[string]string{"rsa": old.Serial, "rsa2": made.Serial} {
		if _, err := s.online.Revoke(t.Context(), serial, KeyCompromise, "tester", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := s.online.Publish(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		l, err := s.online.CRL(t.Context(), name, false)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pki.ParseRevocationList(l.Raw)
		if err != nil || list.Len() != 1 {
			t.Errorf("list of %s: %v", name, err)
		}
	}

	roots := map[string]*pki.Certificate{}
	var through []*pki.Certificate
	for _, a := range s.online.Authorities() {
		if a.Parent == "" {
			roots[a.Name] = a.Certificate
		} else {
			through = append(through, a.Certificate)
		}
		for _, x := range a.Cross {
			through = append(through, x.Certificate)
		}
	}
	if len(roots) != 2 || len(through) != 4 {
		t.Fatalf("%d roots, %d between", len(roots), len(through))
	}
	for name, root := range roots {
		pool, goRoots, goThrough := pki.NewPool(), x509.NewCertPool(), x509.NewCertPool()
		pool.AddRoot(root)
		goRoots.AddCert(goCertificate(t, root))
		for _, c := range through {
			pool.AddIntermediate(c)
			goThrough.AddCert(goCertificate(t, c))
		}
		for _, leaf := range []*pki.Certificate{oldLeaf, newLeaf} {
			chain, err := pool.Chain(leaf, start)
			if err != nil {
				t.Errorf("from %s: %v", name, err)
				continue
			}
			if own := chain[1].Subject.Get(pki.OIDCommonName) == rsaPlan().IssuingName; len(chain) != 3 && own == (name == "root_rsa") || len(chain) != 4 && own != (name == "root_rsa") {
				t.Errorf("from %s: chain of %d", name, len(chain))
			}
			_, err = goCertificate(t, leaf).Verify(x509.VerifyOptions{Roots: goRoots, Intermediates: goThrough, CurrentTime: start, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			if err != nil {
				t.Errorf("Go, from %s: %v", name, err)
			}
		}
	}
	third, err := NextGeneration(t.Context(), s.c, "rsa2", false)
	if err != nil || len(third) != 1 || third[0].Name != "rsa3" || third[0].Parent != "root_rsa2" || !strings.HasSuffix(third[0].CommonName, " G3") {
		t.Errorf("%+v %v", third, err)
	}
	c.Authorities = []AuthorityPlan{{Name: "rsa9", Parent: "root_rsa2", Algorithm: algid.RSA, Bits: 2048, CommonName: "X", Address: "http://x.kz", Follows: "rsa"}}
	if err := Check(t.Context(), c); err == nil {
		t.Error("a second follower of one authority")
	}
}

func goCertificate(t *testing.T, c *pki.Certificate) *x509.Certificate {
	t.Helper()
	out, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestUpperAuthority puts an authority between the root and the issuing one: its key is offline too.
func TestUpperAuthority(t *testing.T) {
	s := newSides()
	between := under("root", "policy", "POLICY AUTHORITY")
	between.PathLength, between.Address = 1, ""
	c := s.c
	c.Authorities = []AuthorityPlan{newRoot("root", "ROOT"), between, under("policy", "gost", "ISSUING")}
	if err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if len(s.root.keys.keys) != 2 || s.online.keys.keys["policy"] != nil {
		t.Errorf("%d keys at the root", len(s.root.keys.keys))
	}
	s.online.open(t)
	mustIssue(t, s.online, order(t, "A-1"))
	if _, err := UpperList(t.Context(), s.upperOnly(), "policy"); err != nil {
		t.Error(err)
	}
	if _, err := UpperList(t.Context(), s.c, "gost"); err == nil {
		t.Error("a list of an issuing authority by ceremony")
	}
	deeper := under("policy", "deeper", "DEEPER")
	deeper.PathLength = 1
	c.Authorities = []AuthorityPlan{deeper}
	if e, ok := errors.AsType[*PlanError](Check(t.Context(), c)); !ok || e.Field != "path-length" {
		t.Errorf("%v", e)
	}
}

// TestUpperListNumbers step up, whatever the clock does.
func TestUpperListNumbers(t *testing.T) {
	b := newBench(t)
	c := Ceremony{Store: b.store, Keys: b.keys, By: "tester", Now: b.clock.now}
	last := start
	for n := int64(2); n < 5; n++ {
		b.clock.move(-time.Hour)
		l, err := UpperList(t.Context(), c, "root_gost")
		if err != nil || l.Number != n || l.ThisUpdate.Before(last) {
			t.Fatalf("list %+v: %v", l, err)
		}
		got, err := b.CRL(t.Context(), "root_gost", false)
		if err != nil || got.Number != n {
			t.Errorf("published %+v: %v", got, err)
		}
	}
}

// TestCeremonyStopsWhenItIsNotWrittenDown: whatever line cannot be written, the ceremony fails, and before
// the line that says so nothing is recorded.
func TestCeremonyStopsWhenItIsNotWrittenDown(t *testing.T) {
	full := errors.New("disk full")
	for n := 1; ; n++ {
		store, keys, left, recorded := newMemory(), &memoryKeys{}, n, false
		c := Ceremony{Store: store, Keys: keys, Plans: []Plan{gostPlan()}, Now: func() time.Time { return start }, Note: func(line string) error {
			recorded = recorded || strings.HasPrefix(line, "recorded")
			if left--; left == 0 {
				return full
			}
			return nil
		}}
		err := Create(t.Context(), c)
		if err == nil {
			if n < 10 {
				t.Errorf("only %d lines", n-1)
			}
			return
		}
		if !errors.Is(err, full) {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Config{Store: store, Keys: keys}); !recorded && !errors.Is(err, ErrNotFound) {
			t.Errorf("line %d: %v", n, err)
		}
	}
}

// TestWrongKeyIsFoundBeforeAnythingIsRecorded: a place that gives back another key than was kept.
func TestWrongKeyIsFoundBeforeAnythingIsRecorded(t *testing.T) {
	store := newMemory()
	err := Create(t.Context(), Ceremony{Store: store, Keys: forgetful{gostKey(t)}, Plans: []Plan{gostPlan()}, Now: func() time.Time { return start }})
	if err == nil || len(store.snapshot().authorities) != 0 {
		t.Errorf("%v, %d authorities", err, len(store.snapshot().authorities))
	}
}

func TestRevokedCrossCertificate(t *testing.T) {
	s := newSides()
	s.create(t, gostPlan())
	next, err := NextGeneration(t.Context(), s.c, "gost", true)
	if err != nil {
		t.Fatal(err)
	}
	c := s.c
	c.Authorities = next
	if err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var cross *pki.Certificate
	for _, x := range s.root.store.snapshot().crosses {
		if x.Name == "root_gost2_by_root_gost" {
			cross, err = pki.ParseCertificate(x.Raw)
		}
	}
	if cross == nil || err != nil {
		t.Fatal(err)
	}
	l, err := RevokeAuthority(context.Background(), s.c, "root_gost", cross.SerialHex(), Superseded)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pki.ParseRevocationList(l.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, found := list.Find(cross.Serial); !found || list.Len() != 1 {
		t.Error("the list does not say it")
	}
	if _, found := list.Find(big.NewInt(1)); found {
		t.Error("and says more")
	}
}

// forgetful keeps nothing and has one key for every name.
type forgetful struct{ key crypto.Signer }

func (forgetful) Keep(context.Context, string, crypto.Signer) error    { return nil }
func (f forgetful) Key(context.Context, string) (crypto.Signer, error) { return f.key, nil }
