package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/relying"
	"senim/internal/store"
)

// Relying has the cases of the OpenID Connect provider: requests, consents, tokens and keys.
func Relying(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.Relying()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	do := func(t *testing.T, f func(relying.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("requests", func(t *testing.T) {
		first := relying.Request{ID: "r1", Browser: "b", Client: "c", Query: "a=1", Made: now}
		second := relying.Request{ID: "r2", Browser: "b", Client: "c", Query: "a=2", Made: now.Add(time.Second)}
		do(t, func(tx relying.Tx) error { return errors.Join(tx.PutRequest(ctx, first), tx.PutRequest(ctx, second)) })
		second.Ended, second.Certificate, second.Proved = now.Add(time.Minute), []byte{1, 2}, now.Add(time.Second)
		do(t, func(tx relying.Tx) error {
			if got, err := tx.LatestRequest(ctx, "b", now); err != nil || got.ID != "r2" {
				t.Errorf("the latest: %+v %v", got, err)
			}
			return tx.PutRequest(ctx, second)
		})
		do(t, func(tx relying.Tx) error {
			got, err := tx.Request(ctx, "r2")
			if d := cmp.Diff(second, got); d != "" || err != nil {
				t.Error(d, err)
			}
			if got, err := tx.LatestRequest(ctx, "b", now); err != nil || cmp.Diff(first, got) != "" {
				t.Errorf("the latest open: %+v %v", got, err)
			}
			if _, err := tx.LatestRequest(ctx, "b", now.Add(time.Millisecond)); !errors.Is(err, relying.ErrNotFound) {
				t.Errorf("too old: %v", err)
			}
			if _, err := tx.LatestRequest(ctx, "other", now); !errors.Is(err, relying.ErrNotFound) {
				t.Errorf("another browser: %v", err)
			}
			return tx.Sweep(ctx, now, now.Add(time.Millisecond))
		})
		do(t, func(tx relying.Tx) error {
			if _, err := tx.Request(ctx, "r1"); !errors.Is(err, relying.ErrNotFound) {
				t.Errorf("swept: %v", err)
			}
			_, err := tx.Request(ctx, "r2")
			return err
		})
	})

	t.Run("consents", func(t *testing.T) {
		c := relying.Consent{IIN: "i", Client: "c", Scopes: []string{"openid", "iin"}, Orgs: []ident.BIN{"123456789021", "123456789022"}, Made: now, Used: now}
		other := relying.Consent{IIN: "i", Client: "d", Scopes: []string{"openid"}, Made: now.Add(time.Second), Used: now}
		do(t, func(tx relying.Tx) error { return errors.Join(tx.PutConsent(ctx, c), tx.PutConsent(ctx, other)) })
		c.Scopes, c.Used = []string{"openid"}, now.Add(time.Hour)
		do(t, func(tx relying.Tx) error { return tx.PutConsent(ctx, c) })
		do(t, func(tx relying.Tx) error {
			got, err := tx.Consents(ctx, "i")
			if d := cmp.Diff([]relying.Consent{c, other}, got); d != "" || err != nil {
				t.Error(d, err)
			}
			return tx.DropConsent(ctx, "i", "d")
		})
		do(t, func(tx relying.Tx) error {
			if _, err := tx.Consent(ctx, "i", "d"); !errors.Is(err, relying.ErrNotFound) {
				t.Errorf("withdrawn: %v", err)
			}
			_, err := tx.Consent(ctx, "i", "c")
			return err
		})
	})

	token := func(kind relying.Kind, hash, grant string) relying.Token {
		return relying.Token{Kind: kind, Hash: hash, Grant: grant, Client: "c", IIN: "i", ActsAs: "b", Serial: "s", Fingerprint: "f",
			Data: []byte(`{"a":1}`), Made: now, Expires: now.Add(time.Hour)}
	}
	gone := func(t *testing.T, tx relying.Tx, kind relying.Kind, hash string) {
		t.Helper()
		if _, err := tx.Token(ctx, kind, hash); !errors.Is(err, relying.ErrNotFound) {
			t.Errorf("%s %s: %v", kind, hash, err)
		}
	}

	t.Run("tokens", func(t *testing.T) {
		code, access, refresh := token(relying.Code, "h1", "g"), token(relying.Access, "h2", "g"), token(relying.Refresh, "h3", "g")
		do(t, func(tx relying.Tx) error {
			return errors.Join(tx.AddToken(ctx, code), tx.AddToken(ctx, access), tx.AddToken(ctx, refresh))
		})
		do(t, func(tx relying.Tx) error {
			if err := tx.AddToken(ctx, code); !errors.Is(err, relying.ErrUsed) {
				t.Errorf("twice: %v", err)
			}
			gone(t, tx, relying.Refresh, "h1") // another kind is another token
			ok, err := tx.UseToken(ctx, relying.Code, "h1", now)
			again, err2 := tx.UseToken(ctx, relying.Code, "h1", now)
			if !ok || again {
				t.Errorf("used: %v, again: %v", ok, again)
			}
			return errors.Join(err, err2)
		})
		code.Used = now
		do(t, func(tx relying.Tx) error {
			got, err := tx.Token(ctx, relying.Code, "h1")
			if d := cmp.Diff(code, got); d != "" || err != nil {
				t.Error(d, err)
			}
			one, err := tx.DropGrant(ctx, "g")
			if one.IIN != "i" || one.Client != "c" {
				t.Errorf("what went is %+v", one)
			}
			if _, again := tx.DropGrant(ctx, "g"); !errors.Is(again, relying.ErrNotFound) {
				t.Errorf("again: %v", again)
			}
			return err
		})
		do(t, func(tx relying.Tx) error {
			gone(t, tx, relying.Access, "h2")
			gone(t, tx, relying.Refresh, "h3")
			if _, err := tx.Token(ctx, relying.Code, "h1"); err != nil {
				t.Errorf("the code is not known any more: %v", err)
			}
			return tx.Sweep(ctx, now.Add(time.Hour+time.Second), now)
		})
		do(t, func(tx relying.Tx) error { gone(t, tx, relying.Code, "h1"); return nil })
	})

	t.Run("ended with sessions", func(t *testing.T) {
		end := func(f auth.Filter) {
			t.Helper()
			if err := s.Auth().Update(ctx, func(tx auth.Tx) error { _, err := tx.DeleteSessions(ctx, f, ""); return err }); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			name string
			f    auth.Filter
			ends bool
		}{
			{"another site", auth.Filter{Site: "cabinet", IIN: "i"}, false},
			{"a site alone", auth.Filter{Site: "portal"}, false},
			{"another person", auth.Filter{IIN: "j"}, false},
			{"another company", auth.Filter{Site: "portal", IIN: "i", BIN: "x"}, false},
			{"the person", auth.Filter{Site: "portal", IIN: "i"}, true},
			{"the person in the company", auth.Filter{IIN: "i", BIN: "b"}, true},
			{"the certificate", auth.Filter{Serial: "s"}, true},
			{"the certificate's print", auth.Filter{Site: "portal", Fingerprint: "f"}, true},
		} {
			do(t, func(tx relying.Tx) error { return tx.AddToken(ctx, token(relying.Refresh, "e", "g2")) })
			end(c.f)
			do(t, func(tx relying.Tx) error {
				_, err := tx.Token(ctx, relying.Refresh, "e")
				if errors.Is(err, relying.ErrNotFound) != c.ends {
					t.Errorf("%s: %v", c.name, err)
				}
				return tx.DropToken(ctx, relying.Refresh, "e")
			})
		}
		do(t, func(tx relying.Tx) error { return tx.AddToken(ctx, token(relying.Refresh, "w", "g3")) })
		do(t, func(tx relying.Tx) error {
			return errors.Join(tx.DropTokens(ctx, "", "c"), tx.DropTokens(ctx, "i", "d"))
		})
		do(t, func(tx relying.Tx) error {
			if _, err := tx.Token(ctx, relying.Refresh, "w"); err != nil {
				t.Errorf("another client's withdrawal: %v", err)
			}
			return tx.DropTokens(ctx, "i", "c")
		})
		do(t, func(tx relying.Tx) error { gone(t, tx, relying.Refresh, "w"); return nil })
	})

	t.Run("keys", func(t *testing.T) {
		a, b := relying.Key{Number: 1, Private: []byte{1}, From: now}, relying.Key{Number: 2, Private: []byte{2}, From: now.Add(time.Hour)}
		do(t, func(tx relying.Tx) error { return errors.Join(tx.AddKey(ctx, b), tx.AddKey(ctx, a)) })
		do(t, func(tx relying.Tx) error {
			if err := tx.AddKey(ctx, a); !errors.Is(err, relying.ErrUsed) {
				t.Errorf("twice: %v", err)
			}
			got, err := tx.Keys(ctx)
			if d := cmp.Diff([]relying.Key{a, b}, got); d != "" {
				t.Error(d)
			}
			return errors.Join(err, tx.DropKey(ctx, 1))
		})
		do(t, func(tx relying.Tx) error {
			got, err := tx.Keys(ctx)
			if len(got) != 1 || got[0].Number != 2 {
				t.Errorf("keys %v", got)
			}
			if one, two := tx.Mac("p", "v"), tx.Mac("q", "v"); len(one) != 32 || string(one) == string(two) {
				t.Error("secrets of two purposes are the same")
			}
			return err
		})
	})
}
