package ca

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/pki"
)

// publishedList reads a list as a stranger would.
func (b *bench) publishedList(t testing.TB, name string, delta bool) *pki.RevocationList {
	t.Helper()
	l, err := b.CRL(t.Context(), name, delta)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pki.ParseRevocationList(l.Raw)
	if err != nil {
		t.Fatal(err)
	}
	ca, _, _ := strings.Cut(name, "/")
	if err := list.CheckPartSignatureFrom(b.authorities[ca].cert); err != nil {
		t.Error(err)
	}
	return list
}

func (b *bench) mustRevoke(t testing.TB, serial string, reason Reason) {
	t.Helper()
	if _, err := b.Revoke(t.Context(), serial, reason, "tester", time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// shardName is that of the list a certificate names.
func shardIn(c *pki.Certificate) string {
	_, file, _ := strings.Cut(c.CRL[0], "/crl/gost/")
	return strings.TrimSuffix(file, ".crl")
}

func TestDividedLists(t *testing.T) {
	b := newBench(t)
	plain, _ := mustIssue(t, b, order(t, "A-0"))
	for _, n := range []int{-1, 1, maxShards + 1} {
		if err := Divide(t.Context(), b.store, "gost", n, "tester"); err == nil {
			t.Errorf("divided into %d", n)
		}
	}
	if err := Divide(t.Context(), b.store, "root_gost", 2, "tester"); !errors.Is(err, ErrNotFound) {
		t.Errorf("divided a root's: %v", err)
	}
	if err := Divide(t.Context(), b.store, "gost", 2, "tester"); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	old, cert := mustIssue(t, b, order(t, "A-1"))
	shard := shardIn(cert)
	if !slices.Contains([]string{"2-0", "2-1"}, shard) || !strings.HasSuffix(cert.DeltaCRL[0], shard+"_d.crl") {
		t.Fatalf("lists %q, %q", cert.CRL, cert.DeltaCRL)
	}
	if err := Divide(t.Context(), b.store, "gost", 3, "tester"); err != nil {
		t.Fatal(err)
	}
	// revoked by a service that does not know of the change yet: the certificate says where it stands
	b.clock.move(time.Minute)
	b.mustRevoke(t, old.Serial, KeyCompromise)
	b.mustRevoke(t, plain.Serial, Superseded)
	b.runJobs(t)
	b.open(t)
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, grown := mustIssue(t, b, order(t, "A-2"))
	if !strings.HasPrefix(shardIn(grown), "3-") {
		t.Errorf("a new certificate on %q", grown.CRL)
	}
	for _, name := range []string{"", "/2-0", "/2-1", "/3-0", "/3-1", "/3-2"} {
		for _, delta := range []bool{false, true} {
			list := b.publishedList(t, "gost"+name, delta)
			_, listed := list.Find(cert.Serial)
			mine := name == "" || name == "/"+shard
			if listed != mine || list.Covers(cert) != mine || list.Covers(grown) != (name == "" || name == "/"+shardIn(grown)) {
				t.Errorf("%s, delta %t: listed %t, covers the old %t, the new %t", name, delta, listed, list.Covers(cert), list.Covers(grown))
			}
			if want := map[bool]int{true: 1}[name == "/"+shard]; name != "" && list.Len() != want {
				t.Errorf("%s has %d entries", name, list.Len())
			}
			if plainReader := list.CheckSignatureFrom(b.authorities["gost"].cert) == nil; plainReader != (name == "") {
				t.Errorf("%s: a reader who knows nothing of parts: %t", name, plainReader)
			}
			if !list.SameScope(b.publishedList(t, "gost"+name, !delta)) {
				t.Errorf("%s: full and delta are of different scope", name)
			}
		}
	}
}

func TestRevokeAll(t *testing.T) {
	b := newBench(t)
	one, _ := mustIssue(t, b, order(t, "A-1"))
	two, _ := mustIssue(t, b, order(t, "A-2"))
	orders := func(serials ...string) (all []RevokeOrder) {
		for _, s := range serials {
			all = append(all, RevokeOrder{Serial: s, Reason: CessationOfOperation, By: "tester"})
		}
		return all
	}
	before := b.store.snapshot()
	if _, err := b.RevokeAll(t.Context(), orders(one.Serial, strings.Repeat("2f", 20))); !errors.Is(err, ErrNotFound) {
		t.Errorf("one of them never issued: %v", err)
	}
	if after := b.store.snapshot(); len(after.revoked) != 0 || len(after.audit) != len(before.audit) {
		t.Error("a part was revoked")
	}
	for _, n := range []int{0, maxRevoked + 1} {
		if _, err := b.RevokeAll(t.Context(), make([]RevokeOrder, n)); err == nil {
			t.Errorf("%d at once", n)
		}
	}
	all, err := b.RevokeAll(t.Context(), orders(one.Serial, two.Serial, one.Serial))
	if err != nil || len(all) != 3 || !all[2].At.Equal(all[0].At) {
		t.Fatalf("%+v, %v", all, err)
	}
	after := b.store.snapshot()
	publish := 0
	for _, j := range after.jobs[len(before.jobs):] {
		if j.Kind == JobPublish {
			publish++
			if j.Unique == "" {
				t.Error("jobs of one second are not joined")
			}
		}
	}
	if publish != 1 || len(after.audit) != len(before.audit)+2 {
		t.Errorf("%d jobs, %d records", publish, len(after.audit)-len(before.audit))
	}
}

func TestRevocationDates(t *testing.T) {
	for name, c := range map[string]struct {
		reason         Reason
		at, invalidity time.Duration // from the issue, after an hour; 0 is not given
		code           string
	}{
		"now":                       {Superseded, 0, 0, ""},
		"dismissed before":          {AffiliationChanged, time.Minute, 0, ""},
		"compromised before":        {KeyCompromise, time.Minute, -time.Hour, ""},
		"superseded before":         {Superseded, time.Minute, 0, CodeDatesInvalid},
		"held before":               {CertificateHold, time.Minute, 0, CodeDatesInvalid},
		"before it began":           {KeyCompromise, -time.Minute, 0, CodeDatesInvalid},
		"in the future":             {KeyCompromise, 2 * time.Hour, 0, CodeDatesInvalid},
		"invalid in the future":     {KeyCompromise, 0, 2 * time.Hour, CodeDatesInvalid},
		"invalid after the revoked": {KeyCompromise, time.Minute, 2 * time.Minute, CodeDatesInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			issued, cert := mustIssue(t, b, order(t, "A-1"))
			if err := b.Tend(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.clock.move(time.Hour)
			o := RevokeOrder{Serial: issued.Serial, Reason: c.reason, By: "tester"}
			want := b.clock.now()
			if c.at != 0 {
				o.At = start.Add(c.at)
				want = o.At
			}
			if c.invalidity != 0 {
				o.Invalidity = start.Add(c.invalidity)
			}
			all, err := b.RevokeAll(t.Context(), []RevokeOrder{o})
			refused, _ := errors.AsType[*Refusal](err)
			if c.code != "" {
				if refused == nil || refused.Code != c.code {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if v := all[0]; !v.At.Equal(want) || !v.Recorded.Equal(b.clock.now()) || !v.Invalidity.Equal(o.Invalidity) {
				t.Errorf("%+v", v)
			}
			b.runJobs(t)
			e, ok := b.publishedList(t, "gost", false).Find(cert.Serial)
			if !ok || !e.RevokedAt.Equal(want) || !e.InvalidAt.Equal(o.Invalidity) || e.Reason != c.reason {
				t.Errorf("listed %+v", e)
			}
			if one := b.ask(t, issued.Serial); !one.RevokedAt.Equal(want) {
				t.Errorf("the answer says %s", one.RevokedAt)
			}
		})
	}
}

// TestCompromiseIsTold: what turns out to be a compromise is told as one, since the same moment.
func TestCompromiseIsTold(t *testing.T) {
	b := newBench(t)
	issued, cert := mustIssue(t, b, order(t, "A-1"))
	b.clock.move(time.Hour)
	first, err := b.Revoke(t.Context(), issued.Serial, Superseded, "one", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b.clock.move(time.Hour)
	v, err := b.Revoke(t.Context(), issued.Serial, KeyCompromise, "two", start.Add(time.Minute))
	if err != nil || v.Reason != KeyCompromise || !v.At.Equal(first.At) || !v.Invalidity.Equal(start.Add(time.Minute)) {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err := b.Revoke(t.Context(), issued.Serial, Superseded, "three", time.Time{}); err != nil {
		t.Fatal(err)
	}
	b.runJobs(t)
	list := b.publishedList(t, "gost", false)
	if e, ok := list.Find(cert.Serial); !ok || list.Len() != 1 || e.Reason != KeyCompromise || !e.RevokedAt.Equal(first.At) {
		t.Errorf("listed %+v of %d", e, list.Len())
	}
	if a := b.store.snapshot().audit; !slices.ContainsFunc(a, func(e auditEvent) bool { return e.Action == "ca.reason_changed" && e.Actor == "two" }) {
		t.Error("the change is not recorded")
	}
}

// TestPublishTogether: two services over one database, at the same time, with revocations in between.
// No number is used twice, and no newer list knows less than an older one.
func TestPublishTogether(t *testing.T) {
	b := newBench(t)
	var serials []string
	for _, id := range []string{"A-1", "A-2", "A-3", "A-4"} {
		issued, _ := mustIssue(t, b, order(t, id))
		serials = append(serials, issued.Serial)
	}
	other := &bench{store: b.store, keys: b.keys, clock: b.clock}
	other.open(t)
	var work sync.WaitGroup
	for i, s := range serials {
		node := []*bench{b, other}[i%2]
		work.Go(func() {
			b.mustRevoke(t, s, Superseded)
			if err := node.publish(t.Context(), node.authorities["gost"], i%2 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	for _, node := range []*bench{b, other} {
		if err := node.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	last := map[bool]ListRecord{}
	entries := map[bool]int{}
	for _, l := range b.store.snapshot().lists {
		if l.CA != "gost" {
			continue
		}
		if l.Number <= last[l.Delta].Number || l.Epoch < last[l.Delta].Epoch {
			t.Errorf("list %d of epoch %d after %d of %d", l.Number, l.Epoch, last[l.Delta].Number, last[l.Delta].Epoch)
		}
		list, err := pki.ParseRevocationList(l.Raw)
		if err != nil || list.Number.Int64() != l.Number {
			t.Fatalf("list %d is numbered otherwise, %v", l.Number, err)
		}
		if !l.Delta && list.Len() < entries[false] {
			t.Errorf("list %d has forgotten something", l.Number)
		}
		last[l.Delta], entries[l.Delta] = l, list.Len()
	}
	for _, s := range serials {
		n, _ := new(big.Int).SetString(s, 16)
		if _, ok := other.publishedList(t, "gost", false).Find(n); !ok {
			t.Errorf("%s is not listed", s)
		}
	}
}

// TestNumberAfterCrash: whatever is interrupted between number and list, the next number is higher,
// and nothing is lost.
func TestNumberAfterCrash(t *testing.T) {
	for step := 1; step <= 3; step++ {
		for _, after := range []bool{false, true} {
			b := newBench(t)
			issued, cert := mustIssue(t, b, order(t, "A-1"))
			if err := b.Tend(t.Context()); err != nil {
				t.Fatal(err)
			}
			was := b.publishedList(t, "gost", false).Number.Int64()
			b.mustRevoke(t, issued.Serial, Superseded)
			b.store.fail(step, after)
			if err := b.publish(t.Context(), b.authorities["gost"], false); !errors.Is(err, errFault) {
				t.Fatalf("step %d: %v", step, err)
			}
			taken := b.store.snapshot().number["gost"]
			b.store.fail(0, false)
			b.open(t)
			if err := b.Tend(t.Context()); err != nil {
				t.Fatal(err)
			}
			list := b.publishedList(t, "gost", false)
			if _, ok := list.Find(cert.Serial); !ok {
				t.Errorf("step %d, after %t: not listed", step, after)
			}
			stored := step == 3 && after // then the list was published, and only the answer was lost
			if n := list.Number.Int64(); n <= was || !stored && n != taken+1 || stored && n != taken {
				t.Errorf("step %d, after %t: number %d after %d, %d taken", step, after, n, was, taken)
			}
		}
	}
}

// TestListedOnceAfterEnd: however long no list was made, the first one after the end of a certificate
// has it still (RFC 5280 3.3); so has the first one after a revocation that came later than the end.
func TestListedOnceAfterEnd(t *testing.T) {
	b := newBench(t)
	one, _ := mustIssue(t, b, order(t, "A-1"))
	two, _ := mustIssue(t, b, order(t, "A-2"))
	b.mustRevoke(t, one.Serial, Superseded)
	publish := func(serial string, want bool) {
		t.Helper()
		if err := b.Publish(t.Context(), "gost"); err != nil {
			t.Fatal(err)
		}
		if full, _ := b.listed(t, serial); full != want {
			t.Errorf("listed %t, want %t", full, want)
		}
	}
	publish(one.Serial, true)
	b.clock.move(400 * 24 * time.Hour) // a month after both have ended
	publish(one.Serial, true)
	b.mustRevoke(t, two.Serial, KeyCompromise)
	b.clock.move(time.Hour)
	publish(one.Serial, false)
	publish(two.Serial, true)
	b.clock.move(8 * 24 * time.Hour)
	publish(two.Serial, false)
}

// TestOneJobWaits: of jobs that wait, one makes the lists; after a long one there is a pause.
func TestOneJobWaits(t *testing.T) {
	var p pace
	p.waiting = true
	if first, err := p.wait(t.Context(), time.Now, time.Now()); first || err != nil {
		t.Errorf("a second one waits: %t, %v", first, err)
	}
	p.waiting = false
	now := start
	p.took(time.Minute, now)
	if got := p.next.Sub(now); got != listPauseMost {
		t.Errorf("a pause of %s", got)
	}
	p.took(10*time.Millisecond, now)
	if first, err := p.wait(t.Context(), func() time.Time { return now }, time.Time{}); !first || err != nil {
		t.Errorf("%t, %v", first, err)
	}
	if p.waiting {
		t.Error("waits for ever")
	}
}

// TestListIsReadOnce: readers of one list share its bytes; a new list is seen at once.
func TestListIsReadOnce(t *testing.T) {
	b := newBench(t)
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	get := func() *List {
		l, err := b.CRL(t.Context(), "gost", false)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := get()
	if get() != first {
		t.Error("read twice")
	}
	if err := b.Publish(t.Context(), "gost"); err != nil {
		t.Fatal(err)
	}
	if second := get(); second.Number <= first.Number {
		t.Errorf("list %d after %d", second.Number, first.Number)
	}
	var c listCache
	for i := range 3 {
		c.keep(listKey{shard: string(rune('a' + i))}, &List{Raw: make([]byte, maxCachedLists/2)})
	}
	if len(c.all) != 1 || c.size != maxCachedLists/2 {
		t.Errorf("%d lists of %d bytes are held", len(c.all), c.size)
	}
}

// TestEndedAuthority: nothing is due of an authority that has ended, and the others are tended.
func TestEndedAuthority(t *testing.T) {
	b := newBench(t)
	b.clock.move(11 * 366 * 24 * time.Hour)
	if err := b.tendLists(t.Context(), b.authorities["gost"]); err != nil {
		t.Error(err)
	}
}
