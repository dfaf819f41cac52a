package pki

import (
	"crypto"
	"crypto/rand"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/gost"
)

// issued makes a certificate for a new key, signed by issuer, or by itself when there is none.
func issued(t *testing.T, serial int64, issuer *Certificate, by *gost.PrivateKey) (*Certificate, *gost.PrivateKey) {
	t.Helper()
	key, err := gost.GenerateKey(gost.TC26_256A(), nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &Template{
		Serial: big.NewInt(serial), Subject: Name{NewAttribute(OIDCommonName, "AUTHORITY")}, PublicKey: key.Public(),
		NotBefore: poolTime.AddDate(-1, 0, 0), NotAfter: poolTime.AddDate(1, 0, 0), IsCA: true, MaxPathLen: -1, KeyUsage: CertSign,
	}
	if issuer != nil {
		template.Subject, template.RawIssuer = Name{NewAttribute(OIDCommonName, "LEAF")}, issuer.RawSubject
		template.IsCA, template.KeyUsage = false, DigitalSignature
	} else {
		by = key
	}
	der, err := CreateCertificate(rand.Reader, by, template)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

var poolTime = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// An authority's key gets a table after some chains, a leaf's never; what is trusted stays the same,
// for many goroutines at once.
func TestPoolPreparesAuthorities(t *testing.T) {
	root, key := issued(t, 1, nil, nil)
	leaf, _ := issued(t, 2, root, key)
	_, strange := issued(t, 1, nil, nil)
	foreign, _ := issued(t, 3, root, strange)
	pool := NewPool()
	pool.AddRoot(root)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if chain, err := pool.Chain(leaf, poolTime); err != nil || len(chain) != 2 {
					t.Errorf("leaf: %v", err)
				}
				if _, err := pool.Chain(foreign, poolTime); !errors.Is(err, algid.ErrSignature) {
					t.Errorf("foreign leaf: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if pool.keys.Use(root.PublicKey) == root.PublicKey {
		t.Error("the authority's key is not prepared")
	}
	var got crypto.PublicKey
	for range 8 { // one more would make the table if the leaf had been counted once
		got = pool.keys.Use(leaf.PublicKey)
	}
	if got != leaf.PublicKey {
		t.Error("the leaf's key is counted")
	}
}
