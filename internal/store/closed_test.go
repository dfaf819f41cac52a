package store_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/pki"
)

// counted are keys that count what they sign.
type counted struct {
	storetest.Keys
	n atomic.Int64
}

func (c *counted) Key(ctx context.Context, name string) (crypto.Signer, error) {
	key, err := c.Keys.Key(ctx, name)
	return counter{key, &c.n}, err
}

type counter struct {
	crypto.Signer
	n *atomic.Int64
}

func (c counter) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	c.n.Add(1)
	return c.Signer.Sign(random, digest, o)
}

func ceremony(s *store.Store, keys ca.Keys, name string, kind algid.Key) error {
	return ca.Create(context.Background(), ca.Ceremony{Store: s.CA(), Keys: keys, By: "tester", Plans: []ca.Plan{{
		Name: name, Algorithm: kind, RSABits: 2048, RootName: "ROOT " + name, IssuingName: "ISSUING " + name, Organization: "СЕНІМ", Address: "http://localhost:8082"}}})
}

func orderOf(t *testing.T, id string) ca.Order {
	t.Helper()
	h := pki.Holder{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011", Country: "KZ"}
	return ca.Order{ID: id, Profile: "individual", CSR: pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), h, "p@example.kz"), By: "tester",
		Subject: ca.Subject{CommonName: h.CommonName, Surname: h.Surname, IIN: h.IIN, Email: "p@example.kz"}}
}

// TestSec6FailClosed: an audit that takes nothing stops every act of the authority, no key signs, and
// nothing is changed; what is there can still be read.
func TestSec6FailClosed(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url, Node: "test"})
		keys := &counted{}
		if err := ceremony(s, keys, "one", algid.GOST512); err != nil {
			t.Fatal(err)
		}
		authority, err := ca.Open(t.Context(), ca.Config{Store: s.CA(), Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		if err := authority.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
		var made []*ca.Issued
		for n := range 2 {
			c, err := authority.Issue(t.Context(), orderOf(t, fmt.Sprint("before-", n)))
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, c)
		}
		if _, err := authority.Revoke(t.Context(), made[1].Serial, ca.CertificateHold, "tester", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Refuse(t.Context()); err != nil {
			t.Fatal(err)
		}
		before, signed := numbers(t, s), keys.n.Load()
		for name, act := range map[string]func() error{
			"issue": func() error { _, err := authority.Issue(t.Context(), orderOf(t, "after")); return err },
			"refuse": func() error {
				o := orderOf(t, "bad")
				o.Subject.IIN = ""
				_, err := authority.Issue(t.Context(), o)
				return err
			},
			"revoke": func() error {
				_, err := authority.Revoke(t.Context(), made[0].Serial, ca.KeyCompromise, "tester", time.Time{})
				return err
			},
			"final": func() error {
				_, err := authority.Revoke(t.Context(), made[1].Serial, ca.KeyCompromise, "tester", time.Time{})
				return err
			},
			"release": func() error { return authority.Release(t.Context(), made[1].Serial, "first", "second") },
			"publish": func() error { return authority.Publish(t.Context(), "one") },
			"create":  func() error { return ceremony(s, keys, "two", algid.RSA) },
		} {
			if err := act(); !errors.Is(err, audit.ErrUnwritten) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := keys.n.Load(); n != signed {
			t.Errorf("%d signatures were made unrecorded", n-signed)
		}
		if after := numbers(t, s); after != before {
			t.Errorf("changed unrecorded:\n%s\n%s", before, after)
		}
		if _, err := authority.Certificate(t.Context(), made[0].Serial); err != nil {
			t.Errorf("reading: %v", err)
		}
		if _, err := authority.CRL(t.Context(), "one", false); err != nil {
			t.Errorf("reading a list: %v", err)
		}
	})
}

// numbers counts what the acts would change: a reserved serial alone is no harm.
func numbers(t *testing.T, s *store.Store) string {
	t.Helper()
	var all []string
	err := s.See(t.Context(), func(tx *store.Tx) error {
		for _, q := range []string{`select count(*) from audit`, `select count(*) from ca_certificates where state <> 'reserved'`, `select count(*) from ca_authorities`,
			`select count(*) from ca_revoked`, `select coalesce(sum(reason), 0) from ca_revoked`, `select count(*) from ca_published`, `select coalesce(sum(list_number), 0) from ca_counters`} {
			n, err := tx.Int(t.Context(), q)
			if err != nil {
				return err
			}
			all = append(all, fmt.Sprint(n))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// TestSec6FullDiskStopsIssuing: the first order after the disk is full is refused, and signs nothing.
func TestSec6FullDiskStopsIssuing(t *testing.T) {
	s := open(t, store.Config{URL: t.TempDir() + "/senim.db", Node: "test"})
	keys := &counted{}
	if err := ceremony(s, keys, "one", algid.GOST512); err != nil {
		t.Fatal(err)
	}
	authority, err := ca.Open(t.Context(), ca.Config{Store: s.CA(), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authority.Issue(t.Context(), orderOf(t, "before")); err != nil {
		t.Fatal(err)
	}
	err = s.Do(t.Context(), func(tx *store.Tx) error { // as many pages as there are
		n, err := tx.Int(t.Context(), `pragma page_count`)
		if err == nil {
			_, err = tx.Int(t.Context(), fmt.Sprintf(`pragma max_page_count = %d`, n))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for s.Record(t.Context(), audit.Event{Action: "test.fill"}) == nil {
	}
	signed := keys.n.Load()
	if _, err := authority.Issue(t.Context(), orderOf(t, "after")); !errors.Is(err, audit.ErrUnwritten) {
		t.Errorf("on a full disk: %v", err)
	}
	if keys.n.Load() != signed {
		t.Error("a key signed on a full disk")
	}
	if good, err := s.VerifyAudit(t.Context()); err != nil || good == 0 {
		t.Errorf("%d %v", good, err)
	}
}
