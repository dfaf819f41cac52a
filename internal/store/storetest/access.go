package storetest

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"senim/internal/access"
	"senim/internal/ca"
	"senim/internal/store"
)

// Access has the cases of other programs and their requests.
func Access(t *testing.T, s *store.Store) {
	t.Run("clients", func(t *testing.T) { accessClients(t, s.Access()) })
	t.Run("requests", func(t *testing.T) { accessRequests(t, s.Access()) })
	t.Run("releases", func(t *testing.T) { accessReleases(t, s.Access()) })
	t.Run("one request", func(t *testing.T) { accessOnce(t, s) })
}

// change runs f in a transaction that must succeed.
func change(t *testing.T, s access.Store, f func(context.Context, access.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx access.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

var sameClient = cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}

func accessClients(t *testing.T, s access.Store) {
	one := access.Client{Name: "one", KeyID: "k1", KeyHash: []byte{1}, Rights: []access.Right{access.Issue, access.Read}, Profiles: []string{"individual"},
		Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, PerMinute: 7, Created: caStart, Expires: caStart.AddDate(1, 0, 0)}
	two := access.Client{Name: "two", Certificate: "aa", Rights: []access.Right{access.Release}, Created: caStart}
	three := access.Client{Name: "three", KeyID: "k3", KeyHash: []byte{3}, Rights: []access.Right{access.Read}, Created: caStart}
	change(t, s, func(ctx context.Context, tx access.Tx) error {
		return errors.Join(tx.AddClient(ctx, one), tx.AddClient(ctx, two), tx.AddClient(ctx, three))
	})
	for _, taken := range []access.Client{{Name: "one"}, {Name: "x", KeyID: "k1"}, {Name: "x", Certificate: "aa"}} {
		change(t, s, func(ctx context.Context, tx access.Tx) error {
			if err := tx.AddClient(ctx, taken); !errors.Is(err, access.ErrExists) {
				t.Errorf("%+v: %v", taken, err)
			}
			return nil
		})
	}
	one.Disabled, one.KeyID, one.KeyHash, one.Certificate = caStart.Add(time.Hour), "k9", []byte{9}, "bb"
	change(t, s, func(ctx context.Context, tx access.Tx) error { return tx.PutClient(ctx, one) })
	change(t, s, func(ctx context.Context, tx access.Tx) error {
		a, err1 := tx.Client(ctx, "one")
		b, err2 := tx.ClientByKey(ctx, "k9")
		c, err3 := tx.ClientByCertificate(ctx, "bb")
		for _, got := range []access.Client{a, b, c} {
			if d := cmp.Diff(one, got, sameClient); d != "" {
				t.Error(d)
			}
		}
		all, err4 := tx.Clients(ctx)
		if d := cmp.Diff([]access.Client{one, three, two}, all, sameClient); d != "" {
			t.Error(d)
		}
		for _, find := range []func() (access.Client, error){
			func() (access.Client, error) { return tx.Client(ctx, "none") },
			func() (access.Client, error) { return tx.ClientByKey(ctx, "k1") },
			func() (access.Client, error) { return tx.ClientByKey(ctx, "") },
			func() (access.Client, error) { return tx.ClientByCertificate(ctx, "") },
		} {
			if _, err := find(); !errors.Is(err, access.ErrNotFound) {
				t.Errorf("found: %v", err)
			}
		}
		if err := tx.PutClient(ctx, access.Client{Name: "none"}); !errors.Is(err, access.ErrNotFound) {
			t.Errorf("put nothing: %v", err)
		}
		return errors.Join(err1, err2, err3, err4)
	})
}

func accessRequests(t *testing.T, s access.Store) {
	r := access.Request{Client: "one", Key: "K", Digest: []byte{1}, Begun: caStart}
	change(t, s, func(ctx context.Context, tx access.Tx) error {
		if err := tx.AddRequest(ctx, r); err != nil {
			return err
		}
		if err := tx.AddRequest(ctx, r); !errors.Is(err, access.ErrExists) {
			t.Errorf("twice: %v", err)
		}
		other := r
		other.Client = "two"
		return errors.Join(tx.AddRequest(ctx, other), tx.DropRequest(ctx, "two", "K"))
	})
	answered := r
	answered.Status, answered.Type, answered.Body = 200, "application/json", []byte("{}")
	late := answered
	late.Status, late.Body = 409, []byte("late")
	change(t, s, func(ctx context.Context, tx access.Tx) error {
		return errors.Join(tx.Answer(ctx, answered), tx.Answer(ctx, late), tx.DropRequest(ctx, "one", "K"))
	})
	change(t, s, func(ctx context.Context, tx access.Tx) error {
		got, err := tx.Request(ctx, "one", "K")
		if d := cmp.Diff(answered, got); d != "" {
			t.Error(d)
		}
		if _, err := tx.Request(ctx, "two", "K"); !errors.Is(err, access.ErrNotFound) {
			t.Errorf("dropped, but %v", err)
		}
		return errors.Join(err, tx.ForgetRequests(ctx, caStart))
	})
	change(t, s, func(ctx context.Context, tx access.Tx) error {
		if _, err := tx.Request(ctx, "one", "K"); err != nil {
			t.Errorf("forgotten too early: %v", err)
		}
		if err := tx.ForgetRequests(ctx, caStart.Add(time.Millisecond)); err != nil {
			return err
		}
		if _, err := tx.Request(ctx, "one", "K"); !errors.Is(err, access.ErrNotFound) {
			t.Errorf("not forgotten: %v", err)
		}
		return nil
	})
}

func accessReleases(t *testing.T, s access.Store) {
	p := access.Pending{Serial: "s", Held: caStart, First: "one", Asked: caStart.Add(time.Hour)}
	for range 2 {
		change(t, s, func(ctx context.Context, tx access.Tx) error { return tx.PutPending(ctx, p) })
		change(t, s, func(ctx context.Context, tx access.Tx) error {
			got, err := tx.Pending(ctx, "s")
			if d := cmp.Diff(p, got); d != "" {
				t.Error(d)
			}
			if _, err := tx.Pending(ctx, "none"); !errors.Is(err, access.ErrNotFound) {
				t.Errorf("none: %v", err)
			}
			return err
		})
		p.Second, p.Held = "two K", caStart.Add(time.Minute)
	}
}

// accessOnce: of many who begin the same request at once one finds it new, and one answer stands.
func accessOnce(t *testing.T, s *store.Store) {
	g, err := access.New(access.Config{Store: s.Access()})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	stands := make([]access.Request, 16)
	for i := range stands {
		wg.Go(func() {
			r, err := g.Begin(t.Context(), access.Request{Client: "race", Key: "K", Digest: []byte{1}})
			if err != nil {
				t.Error(err)
				return
			}
			if r.Status == 0 {
				r.Status, r.Type, r.Body = 200+i, "t", []byte{byte(i)}
				if r, err = g.Finish(t.Context(), r, access.Call{Actor: "api:race", Route: "POST /", Result: "ok"}); err != nil {
					t.Error(err)
				}
			}
			stands[i] = r
		})
	}
	wg.Wait()
	for _, r := range stands {
		if r.Status != stands[0].Status || len(r.Body) != 1 || r.Status != 200+int(r.Body[0]) {
			t.Errorf("answers %d and %d", r.Status, stands[0].Status)
		}
	}
	if _, err := g.Begin(t.Context(), access.Request{Client: "race", Key: "K", Digest: []byte{2}}); !errors.Is(err, access.ErrOtherRequest) {
		t.Errorf("another request: %v", err)
	}
}

// caSearch: what a query chooses, and pages that neither repeat nor skip while new ones come.
func caSearch(t *testing.T, s ca.Store) {
	ctx := t.Context()
	var all []ca.Record
	for n := 9041; n < 9049; n++ {
		r := caRecord(n)
		r.State, r.Raw, r.IIN, r.CA = ca.Done, []byte("raw"), "123456789013", "search"
		r.Created = caStart.Add(time.Duration(n/2) * time.Hour) // two at each moment
		all = append(all, r)
	}
	all[1].Profile, all[2].BIN, all[3].NotAfter = "head", "123456789025", caStart.AddDate(0, 0, 1)
	in(t, s, func(tx ca.Tx) error {
		var err error
		for _, r := range all {
			err = errors.Join(err, tx.Reserve(ctx, r))
		}
		return errors.Join(err, tx.AddRevocation(ctx, "search", all[4].Serial, ca.Revocation{At: caStart, Reason: ca.KeyCompromise}),
			tx.AddRevocation(ctx, "search", all[5].Serial, ca.Revocation{At: caStart, Reason: ca.CertificateHold}))
	})
	search := func(q ca.Query) (serials []string) {
		t.Helper()
		q.IIN, q.Now = "123456789013", caStart.AddDate(0, 0, 2)
		if q.Limit == 0 {
			q.Limit = 100
		}
		in(t, s, func(tx ca.Tx) error {
			found, err := tx.Search(ctx, q)
			serials = nil
			for _, r := range found {
				serials = append(serials, r.Serial)
			}
			return err
		})
		return serials
	}
	of := func(is ...int) (serials []string) {
		for _, i := range is {
			serials = append(serials, all[i].Serial)
		}
		return serials
	}
	for name, tt := range map[string]struct {
		q    ca.Query
		want []string
	}{
		"all":      {ca.Query{}, of(7, 6, 5, 4, 3, 2, 1, 0)},
		"profiles": {ca.Query{Profiles: []string{"head", "none"}}, of(1)},
		"BIN":      {ca.Query{BIN: "123456789025"}, of(2)},
		"valid":    {ca.Query{State: ca.StateValid}, of(7, 6, 2, 1, 0)},
		"expired":  {ca.Query{State: ca.StateExpired}, of(3)},
		"revoked":  {ca.Query{State: ca.StateRevoked}, of(4)},
		"hold":     {ca.Query{State: ca.StateHold}, of(5)},
		"issued":   {ca.Query{IssuedFrom: all[3].Created, IssuedTo: all[5].Created}, of(4, 3)},
		"ends":     {ca.Query{EndsFrom: caStart, EndsTo: caStart.AddDate(0, 0, 2)}, of(3)},
	} {
		if d := cmp.Diff(tt.want, search(tt.q)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	var walked []string
	q := ca.Query{Limit: 3}
	for n := 60; ; n++ {
		page := search(q)
		walked = append(walked, page...)
		if len(page) < 3 {
			break
		}
		fresh := caRecord(n)
		fresh.State, fresh.IIN, fresh.Raw, fresh.Created = ca.Done, "123456789013", []byte("raw"), caStart.AddDate(1, 0, 0)
		in(t, s, func(tx ca.Tx) error {
			last, err := tx.BySerial(ctx, page[len(page)-1])
			q.Before, q.BeforeSerial = last.Created, last.Serial
			return errors.Join(err, tx.Reserve(ctx, fresh))
		})
	}
	if d := cmp.Diff(of(7, 6, 5, 4, 3, 2, 1, 0), walked); d != "" {
		t.Errorf("pages: %s", d)
	}
}
