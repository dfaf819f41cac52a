package portal

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/trust"
)

// processorTime is what this process has used of all cores.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// crowd is how many people sign in at once: their transactions share the disk, as on a busy day.
const crowd = 64

// meter counts the processor's time of the server's part alone; what the person's agent does between two
// requests is not ours.
type meter struct {
	b    *testing.B
	used time.Duration
}

// all does something for everyone of the crowd at once, and counts it.
func (m *meter) all(n int, do func(i int)) {
	from := processorTime(m.b)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(crowd, n) {
		group.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				do(i)
			}
		})
	}
	group.Wait()
	m.used += processorTime(m.b) - from
}

func (m *meter) report() { m.b.ReportMetric(float64(m.b.N)/m.used.Seconds(), "op/cpu-s") }

// batches cuts b.N into crowds.
func batches(b *testing.B, do func(n int)) {
	b.Helper()
	b.ResetTimer()
	for left := b.N; left > 0; left -= crowd {
		do(min(left, crowd))
	}
	b.StopTimer()
}

// BenchmarkArgon2id is the password's hash alone: what a sign-in is compared with.
func BenchmarkArgon2id(b *testing.B) {
	h := participant.NewHasher(nil)
	kept, err := h.Hash(passA)
	if err != nil {
		b.Fatal(err)
	}
	m := &meter{b: b}
	batches(b, func(n int) {
		m.all(n, func(int) {
			if ok, _ := h.Check(kept, passA); !ok {
				b.Error("the password does not fit")
			}
		})
	})
	m.report()
}

// BenchmarkSignIn is the whole of a sign-in through the pages, durable on SQLite: the page with the
// challenge, GOST512 chain and signature verified, status asked, password, session, profile.
func BenchmarkSignIn(b *testing.B) {
	w := newWorldWith(b, func(c *participant.Config) { c.Passwords = participant.NewHasher(nil) })
	key := w.head(iinA, binX)
	m := &meter{b: b}
	batches(b, func(n int) {
		visitors, answers := make([]*visitor, n), make([]string, n)
		for i := range visitors {
			visitors[i] = &visitor{w: w, handler: w.server.Config.Handler}
		}
		m.all(n, func(i int) { visitors[i].do(http.MethodGet, "/login", nil) })
		for i, v := range visitors {
			_, answers[i], _ = (&browser{w: w, page: v.body}).signature(key)
		}
		m.all(n, func(i int) {
			v := visitors[i]
			if to := v.do(http.MethodPost, "/login", url.Values{"answer": {answers[i]}}); to != "/login/password" {
				b.Errorf("the key leads to %q", to)
				return
			}
			v.do(http.MethodGet, "/login/password", nil)
			if to := v.do(http.MethodPost, "/login/password", url.Values{"password": {passA}}); to != "/me" {
				b.Errorf("the password leads to %q", to)
			}
		})
	})
	m.report()
}

// visitor calls the handler without a network: of a browser it has the cookies.
type visitor struct {
	w       *world
	handler http.Handler
	cookies map[string]string
	body    string
}

func (v *visitor) do(method, path string, form url.Values) (location string) {
	r := httptest.NewRequestWithContext(v.w.t.Context(), method, "http://localhost:8081"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = "127.0.0.1:40000"
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	out := httptest.NewRecorder()
	v.handler.ServeHTTP(out, r)
	if out.Code >= 400 {
		v.w.t.Errorf("%s %s: %d\n%s", method, path, out.Code, text(out.Body.String()))
	}
	for _, c := range out.Result().Cookies() {
		if v.cookies == nil {
			v.cookies = map[string]string{}
		}
		v.cookies[c.Name] = c.Value
	}
	v.body = out.Body.String()
	return out.Header().Get("Location")
}

// BenchmarkCertificatePart is the certificate's part of a sign-in: a session begun, the challenge, the
// answer proved with its GOST512 chain, status and record; durable on SQLite.
func BenchmarkCertificatePart(b *testing.B) {
	w := newWorld(b)
	judge, err := trust.New(trust.Config{Pool: w.authority.Pool(), Revocation: w, Now: w.time})
	w.must(err)
	desk, err := auth.New(auth.Config{Store: w.store.Auth(), Judge: judge, Site: "portal", Origin: "http://localhost:8081", Now: w.time})
	w.must(err)
	keys := make([]*pkitest.Leaf, crowd)
	for i := range keys {
		keys[i] = w.personal(fmt.Sprintf("12345678901%d", i%4))
	}
	m := &meter{b: b}
	batches(b, func(n int) {
		sids, challenges, answers := make([]string, n), make([]auth.Challenge, n), make([][]byte, n)
		m.all(n, func(i int) {
			sid, c, err := desk.From("").BeginAsking(b.Context(), signInPurpose, "")
			if err != nil {
				b.Error(err)
			}
			sids[i], challenges[i] = sid, c
		})
		for i, c := range challenges {
			answers[i] = []byte(unbase64(b, w.signText(keys[i], base64of(c.Text()))))
		}
		m.all(n, func(i int) {
			if _, err := desk.Prove(b.Context(), sids[i], signInPurpose, answers[i], trust.SignIn); err != nil {
				b.Error(err)
			}
		})
	})
	m.report()
}
