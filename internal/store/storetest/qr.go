package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/mgov"
	"senim/internal/qr"
	"senim/internal/store"
)

// QR has the cases of requests for signatures on a phone.
func QR(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.QR()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	request := qr.Request{Handle: "h", Code: "c", Token: "t", Session: "s", Site: "portal", State: qr.Waiting, Made: now, Expires: now.Add(qr.Life),
		Ask: qr.Ask{Purpose: "sign-in", What: "Кіру", IIN: "i", BIN: "b", Action: "/login", Field: "answer", Back: "/login?x=ә", Digest: "d",
			Items: []qr.Item{{Method: mgov.CMSSignOnly, Mime: "@file/txt", Content: []byte("ә\n\x00")}}, Fields: map[string][]string{"t": {"1", "2"}}}}
	put := func(t *testing.T, r qr.Request) {
		t.Helper()
		if err := st.Update(ctx, func(tx qr.Tx) error { return tx.Put(ctx, r) }); err != nil {
			t.Fatal(err)
		}
	}
	read := func(f func(qr.Tx) (qr.Request, error)) (r qr.Request, err error) {
		err = st.View(ctx, func(tx qr.Tx) (err error) { r, err = f(tx); return err })
		return r, err
	}
	byHandle := func(h string) func(qr.Tx) (qr.Request, error) {
		return func(tx qr.Tx) (qr.Request, error) { return tx.Request(ctx, h) }
	}

	t.Run("kept as it was", func(t *testing.T) {
		put(t, request)
		for name, f := range map[string]func(qr.Tx) (qr.Request, error){
			"handle": byHandle("h"), "code": func(tx qr.Tx) (qr.Request, error) { return tx.ByCode(ctx, "c") }} {
			got, err := read(f)
			if d := cmp.Diff(request, got); d != "" || err != nil {
				t.Errorf("by %s: %v\n%s", name, err, d)
			}
		}
		signed := request
		signed.State, signed.Answer, signed.Signed = qr.Signed, []string{"MII="}, now.Add(time.Minute)
		put(t, signed)
		got, err := read(byHandle("h"))
		if d := cmp.Diff(signed, got); d != "" || err != nil {
			t.Errorf("signed: %v\n%s", err, d)
		}
	})

	t.Run("unknown", func(t *testing.T) {
		for _, f := range []func(qr.Tx) (qr.Request, error){byHandle("c"), func(tx qr.Tx) (qr.Request, error) { return tx.ByCode(ctx, "h") }} {
			if _, err := read(f); !errors.Is(err, qr.ErrNotFound) {
				t.Errorf("got %v", err)
			}
		}
	})

	t.Run("one of many goes on", func(t *testing.T) {
		fresh := request
		fresh.Handle, fresh.Code = "r", "rc"
		put(t, fresh)
		var moved atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				var mine bool
				err := st.Update(context.WithoutCancel(ctx), func(tx qr.Tx) error {
					r, err := tx.Request(ctx, "r")
					mine = err == nil && r.State == qr.Waiting
					if !mine {
						return err
					}
					r.State = qr.Signed
					return tx.Put(ctx, r)
				})
				if err != nil {
					t.Error(err)
				}
				if mine {
					moved.Add(1)
				}
			})
		}
		wg.Wait()
		if n := moved.Load(); n != 1 {
			t.Errorf("%d went on", n)
		}
	})

	t.Run("sweep", func(t *testing.T) {
		old := request
		old.Handle, old.Code, old.Expires = "o", "oc", now
		put(t, old)
		if err := st.Update(ctx, func(tx qr.Tx) error { return tx.Sweep(ctx, now.Add(time.Second)) }); err != nil {
			t.Fatal(err)
		}
		if _, err := read(byHandle("o")); !errors.Is(err, qr.ErrNotFound) {
			t.Errorf("over and kept: %v", err)
		}
		if _, err := read(byHandle("h")); err != nil {
			t.Errorf("swept too early: %v", err)
		}
	})
}
