package storetest

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/ocsp"
	"senim/pki"
)

// Keys is a ca.Keys in memory. The zero value is ready; its methods may be called from many goroutines.
type Keys struct {
	mu   sync.Mutex
	keys map[string]crypto.Signer
}

// Keep implements ca.Keys.
func (k *Keys) Keep(_ context.Context, name string, key crypto.Signer) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, taken := k.keys[name]; taken {
		return ca.ErrExists
	}
	if k.keys == nil {
		k.keys = map[string]crypto.Signer{}
	}
	k.keys[name] = key
	return nil
}

// Key implements ca.Keys.
func (k *Keys) Key(_ context.Context, name string) (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok := k.keys[name]; ok {
		return key, nil
	}
	return nil, ca.ErrNotFound
}

// caWork is the authority at work: two nodes over one database, the same orders at once, a
// revocation seen in OCSP at once and in the lists after its job.
func caWork(t *testing.T, s *store.Store) {
	ctx := t.Context()
	keys := &Keys{}
	// authorities of the cases before are of no use here: their certificates are no certificates
	err := ca.Create(ctx, ca.Ceremony{Store: only{s.CA(), "work"}, Keys: keys, By: "tester", Plans: []ca.Plan{{
		Name: "work", Algorithm: algid.GOST512, RootName: "ROOT", IssuingName: "ISSUING", Address: "http://localhost:8082",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	nodes := make([]*ca.Service, 2)
	for i := range nodes {
		if nodes[i], err = ca.Open(ctx, ca.Config{Store: only{s.CA(), "work"}, Keys: keys, Node: byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := nodes[0].Tend(ctx); err != nil {
		t.Fatal(err)
	}
	var last *ca.Issued
	for round := range 5 {
		last = sameOrder(t, nodes, fmt.Sprint("work-", round))
	}
	cert, err := pki.ParseCertificate(last.Raw)
	if err != nil {
		t.Fatal(err)
	}
	var issuer *pki.Certificate
	for _, a := range nodes[0].Authorities() {
		if a.Name == "work" {
			issuer = a.Certificate
		}
	}
	ask := func() ocsp.Single {
		t.Helper()
		return askOCSP(t, nodes[1], issuer, cert)
	}
	if one := ask(); one.Status != ocsp.Good {
		t.Errorf("issued, but %v", one.Status)
	}
	everyNode(t, nodes, issuer, cert)
	publishTogether(t, nodes)
	if _, err := nodes[0].Revoke(ctx, last.Serial, ca.KeyCompromise, "tester", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if one := ask(); one.Status != ocsp.Revoked || one.Reason != ca.KeyCompromise {
		t.Errorf("revoked on another node, but %v", one.Status)
	}
	published := make(chan error, 10)
	s.Handle(ca.JobPublish, func(ctx context.Context, payload []byte) error {
		err := nodes[1].PublishJob(ctx, payload)
		published <- err
		return err
	})
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	// Of several jobs that wait, one makes the lists: not necessarily the first that ends.
	for !listed(t, nodes[0], issuer, cert) {
		select {
		case err := <-published:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("not on the lists after a minute")
		}
	}
}

// listed reports that a certificate is on the full and on the delta list.
func listed(t *testing.T, node *ca.Service, issuer, cert *pki.Certificate) bool {
	t.Helper()
	for _, delta := range []bool{false, true} {
		l, err := node.CRL(t.Context(), "work", delta)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pki.ParseRevocationList(l.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := list.CheckSignatureFrom(issuer); err != nil {
			t.Fatal(err)
		}
		if _, on := list.Find(cert.Serial); !on {
			return false
		}
	}
	return true
}

// publishTogether makes lists on both nodes at once: each stored list is newer than those before, and
// all nodes then serve the same.
func publishTogether(t *testing.T, nodes []*ca.Service) {
	t.Helper()
	for range 3 {
		var group sync.WaitGroup
		for _, n := range nodes {
			group.Go(func() {
				if err := n.Publish(t.Context(), "work"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	var numbers []int64
	for _, n := range nodes {
		for _, delta := range []bool{false, true} {
			l, err := n.CRL(t.Context(), "work", delta)
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, l.Number)
		}
	}
	for _, n := range numbers {
		if n != numbers[0] || n < 6 { // six were made, two at a time
			t.Errorf("numbers of the lists: %v", numbers)
		}
	}
}

// sameOrder asks both nodes for the same order at once and wants one certificate.
func sameOrder(t *testing.T, nodes []*ca.Service, id string) *ca.Issued {
	t.Helper()
	csr := pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), pki.Holder{CommonName: "ТЕСТОВ ТЕСТ"})
	o := ca.Order{ID: id, Profile: "individual", CSR: csr, By: "tester",
		Subject: ca.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011"}}
	got := make([]*ca.Issued, 6)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() {
			var err error
			if got[i], err = nodes[i%2].Issue(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, g := range got {
		if g == nil || !bytes.Equal(g.Raw, got[0].Raw) {
			t.Fatal("two certificates for one order")
		}
	}
	return got[0]
}

func askOCSP(t *testing.T, s *ca.Service, issuer, cert *pki.Certificate) ocsp.Single {
	t.Helper()
	a, err := s.OCSP(t.Context(), pkitest.Question(t, algid.SHA256, issuer, cert.Serial, nil))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.ParseResponse(a.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ocsp.Verify(r, issuer, time.Now()); err != nil {
		t.Fatal(err)
	}
	one, ok := r.Find(issuer, cert.Serial)
	if !ok {
		t.Fatal("an answer about another certificate")
	}
	return one
}

// only hides authorities with other names.
type only struct {
	ca.Store
	name string
}

func (o only) View(ctx context.Context, f func(ca.Tx) error) error {
	return o.Store.View(ctx, func(tx ca.Tx) error { return f(onlyTx{tx, o.name}) })
}

type onlyTx struct {
	ca.Tx
	name string
}

func (o onlyTx) Authorities(ctx context.Context) ([]ca.AuthorityRecord, error) {
	all, err := o.Tx.Authorities(ctx)
	kept := all[:0]
	for _, a := range all {
		if a.Name == o.name || a.Name == "root_"+o.name {
			kept = append(kept, a)
		}
	}
	return kept, err
}
