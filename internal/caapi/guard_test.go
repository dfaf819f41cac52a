package caapi_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/access"
	"senim/internal/ca"
	"senim/internal/caapi"
	"senim/internal/caapi/client"
	"senim/internal/limit"
	"senim/internal/pkitest"
)

// calls is one call of every route that asks for a right.
func calls(serial string, issue client.IssueRequest, renew client.RenewRequest) map[access.Right][]func(s *site, t *testing.T, key string) answer {
	post := func(path string, body any) func(*site, *testing.T, string) answer {
		return func(s *site, t *testing.T, key string) answer {
			return s.do(t, "POST", "/ca/v1/certificates"+path, key, body, "Idempotency-Key", "K"+strings.ReplaceAll(path, "/", "-"))
		}
	}
	get := func(path string) func(*site, *testing.T, string) answer {
		return func(s *site, t *testing.T, key string) answer { return s.do(t, "GET", "/ca/v1"+path, key, nil) }
	}
	type list = []func(*site, *testing.T, string) answer
	return map[access.Right]list{
		access.Issue:   {post("", issue)},
		access.Renew:   {post("/"+serial+"/renew", renew)},
		access.Hold:    {post("/"+serial+"/hold", client.HoldRequest{})},
		access.Release: {post("/"+serial+"/release", client.HoldRequest{})},
		access.Revoke:  {post("/"+serial+"/revoke", client.RevokeRequest{Reason: "superseded"})},
		access.Read:    {get("/certificates/" + serial), get("/profiles"), get("/authorities"), get("/authorities/gost/crl")},
		access.Search:  {get("/certificates?iin=123456789011")},
	}
}

// TestSec9RightsOfAKey: every route with every right missing is refused, and changes nothing; with
// that right alone it is served.
func TestSec9RightsOfAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	all, _ := s.client(t, access.Client{Name: "all"})
	cert, key := s.issue(t, all, "A-1")
	if err := s.ca.Publish(t.Context(), "gost"); err != nil {
		t.Fatal(err)
	}
	o, _ := order(t)
	table := calls(cert.SerialHex(), o, renewal(t, cert, key, pkitest.Person(), pkitest.NewKey(t, algid.GOST512)))
	if len(table) != len(access.Rights()) {
		t.Fatalf("%d of %d rights have calls", len(table), len(access.Rights()))
	}
	routes := 0
	for _, missing := range access.Rights() {
		others := slices.DeleteFunc(access.Rights(), func(r access.Right) bool { return r == missing })
		_, without := s.client(t, access.Client{Name: "no-" + string(missing), Rights: others})
		for _, do := range table[missing] {
			routes++
			if a := do(s, t, without); a.StatusCode != http.StatusForbidden || a.problem.Code != "RIGHT_MISSING" {
				t.Errorf("without %s: %s %s: %s", missing, a.Request.Method, a.Request.URL.Path, a.Status)
			}
			if a := do(s, t, ""); a.StatusCode != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("without a key: %s %s: %s", a.Request.Method, a.Request.URL.Path, a.Status)
			}
		}
	}
	if routes != 10 { // all of the table in guard.go that are not public
		t.Errorf("%d routes were tried", routes)
	}
	if now, err := all.SearchAll(t.Context(), client.Query{IIN: "123456789011"}, 10); err != nil || len(now) != 1 || now[0].State != client.StateValid {
		t.Fatalf("refused calls changed something: %+v, %v", now, err)
	}
	for _, only := range []access.Right{access.Issue, access.Renew, access.Hold, access.Release, access.Revoke, access.Read, access.Search} {
		_, with := s.client(t, access.Client{Name: "only-" + string(only), Rights: []access.Right{only}})
		for _, do := range table[only] {
			if a := do(s, t, with); a.StatusCode != http.StatusOK {
				t.Errorf("with %s: %s %s: %s %s", only, a.Request.Method, a.Request.URL.Path, a.Status, a.problem.Code)
			}
		}
	}
}

// TestRevokeIsNoHold: the right to revoke does not include suspending.
func TestRevokeIsNoHold(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	all, key := s.client(t, access.Client{})
	cert, _ := s.issue(t, all, "A-1")
	a := s.do(t, "POST", "/ca/v1/certificates/"+cert.SerialHex()+"/revoke", key, map[string]string{"reason": "certificateHold"}, "Idempotency-Key", "K")
	if a.problem.Code != "REQUEST_INVALID" || len(a.problem.Errors) == 0 || a.problem.Errors[0].Location != "body.reason" {
		t.Errorf("%s %s", a.Status, a.body)
	}
}

// TestProfilesOfAClient: certificates of other profiles are neither given, nor seen, nor touched.
func TestProfilesOfAClient(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	all, _ := s.client(t, access.Client{Name: "all"})
	cert, key := s.issue(t, all, "A-1")
	ctx, serial := t.Context(), cert.SerialHex()
	systems, _ := s.client(t, access.Client{Name: "systems", Profiles: []string{"info-system"}})
	o, _ := order(t)
	if _, err := systems.Issue(ctx, "S-1", o); code(err) != "PROFILE_NOT_ALLOWED" {
		t.Errorf("issue: %v", err)
	}
	_, read := systems.Certificate(ctx, serial)
	_, renew := systems.Renew(ctx, serial, "S-2", renewal(t, cert, key, pkitest.Person(), pkitest.NewKey(t, algid.GOST512)))
	_, revoke := systems.Revoke(ctx, serial, "S-3", client.RevokeRequest{Reason: "superseded"})
	_, hold := systems.Hold(ctx, serial, "S-4", client.HoldRequest{})
	_, release := systems.Release(ctx, serial, "S-5", client.HoldRequest{})
	for name, err := range map[string]error{"read": read, "renew": renew, "revoke": revoke, "hold": hold, "release": release} {
		if code(err) != "NOT_FOUND" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found, err := systems.Search(ctx, client.Query{IIN: "123456789011"}); err != nil || len(found.Items) != 0 {
		t.Errorf("search: %+v, %v", found, err)
	}
	if _, err := systems.Search(ctx, client.Query{Profile: "individual"}); code(err) != "PROFILE_NOT_ALLOWED" {
		t.Errorf("search: %v", err)
	}
	if p, err := systems.Profiles(ctx); err != nil || len(p.Items) != 1 {
		t.Errorf("profiles: %+v, %v", p, err)
	}
}

// TestStanding: who is known but may not call now.
func TestStanding(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	ctx := t.Context()
	_, key := s.client(t, access.Client{Name: "one", Expires: s.clock.now().Add(time.Hour)})
	_, far := s.client(t, access.Client{Name: "far", Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	get := func(key string) string { return s.do(t, "GET", "/ca/v1/profiles", key, nil).problem.Code }
	id, secret, _ := strings.Cut(key, ".")
	flipped := []byte(secret)
	flipped[0] ^= 1
	for name, tt := range map[string]struct{ key, want string }{
		"good": {key, ""}, "another network": {far, "NETWORK_NOT_ALLOWED"}, "no secret": {id, "UNAUTHENTICATED"}, "empty secret": {id + ".", "UNAUTHENTICATED"},
		"wrong secret": {id + "." + string(flipped), "UNAUTHENTICATED"}, "another's secret": {id + far[strings.Index(far, "."):], "UNAUTHENTICATED"},
		"unknown": {"00." + secret, "UNAUTHENTICATED"}, "longer secret": {key + "AA", "UNAUTHENTICATED"}, "long": {id + "." + strings.Repeat("A", 200), "UNAUTHENTICATED"},
	} {
		if got := get(tt.key); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	a := s.do(t, "GET", "/ca/v1/profiles", "", nil, "Authorization", "Basic "+key)
	if a.problem.Code != "UNAUTHENTICATED" {
		t.Errorf("another scheme: %s", a.problem.Code)
	}
	rotated, err := s.gate.Rotate(ctx, "one", "", "tester")
	if err != nil {
		t.Fatal(err)
	}
	if old, now := get(key), get(rotated); old != "UNAUTHENTICATED" || now != "" {
		t.Errorf("after rotation: old %s, new %s", old, now)
	}
	s.clock.move(time.Hour)
	if got := get(rotated); got != "CLIENT_EXPIRED" {
		t.Errorf("after its end: %s", got)
	}
	if err := s.gate.Disable(ctx, "one", "tester"); err != nil {
		t.Fatal(err)
	}
	if got := get(rotated); got != "CLIENT_DISABLED" {
		t.Errorf("disabled: %s", got)
	}
}

// TestOneEffect: fifty times the same request at once is one certificate and one answer; another
// request under its key is refused.
func TestOneEffect(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *caapi.Config) { c.Timeout = time.Minute }, algid.GOST512)
	_, key := s.client(t, access.Client{})
	o, _ := order(t)
	var wg sync.WaitGroup
	answers := make([]answer, 50)
	for i := range answers {
		wg.Go(func() {
			answers[i] = s.do(t, "POST", "/ca/v1/certificates", key, o, "Idempotency-Key", "A-1")
		})
	}
	wg.Wait()
	fresh := 0
	for _, a := range answers {
		if a.StatusCode != http.StatusOK || !bytes.Equal(a.body, answers[0].body) {
			t.Fatalf("%s: %s", a.Status, a.body)
		}
		if a.Header.Get("Idempotent-Replayed") == "" {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d answers were made anew", fresh)
	}
	issued := 0
	records, err := s.store.AuditRecords(t.Context(), "test", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Action == "ca.issued" {
			issued++
		}
	}
	if issued != 1 {
		t.Errorf("%d certificates", issued)
	}
	other := o
	other.Subject.Email = "other@example.kz"
	if a := s.do(t, "POST", "/ca/v1/certificates", key, other, "Idempotency-Key", "A-1"); a.StatusCode != http.StatusUnprocessableEntity || a.problem.Code != "OTHER_REQUEST" {
		t.Errorf("another request: %s %s", a.Status, a.problem.Code)
	}
	// another client's order of the same name is another order
	_, second := s.client(t, access.Client{Name: "ra-2"})
	if a := s.do(t, "POST", "/ca/v1/certificates", second, o, "Idempotency-Key", "A-1"); a.problem.Code != "KEY_REUSED" {
		t.Errorf("another client: %s %s", a.Status, a.problem.Code)
	}
}

// failing is a store whose next transactions fail, before they take effect or after.
type failing struct {
	access.Store
	mu    sync.Mutex
	at    int // counts down to the failing one; 0: never
	after bool
}

func (f *failing) Update(ctx context.Context, g func(access.Tx) error) error {
	f.mu.Lock()
	f.at--
	now := f.at == 0
	f.mu.Unlock()
	if now && !f.after {
		return errors.New("the store fails")
	}
	err := f.Store.Update(ctx, g)
	if now {
		return errors.New("the store fails after the effect")
	}
	return err
}

// TestInterrupted: whichever write fails, before or after its effect, the caller is told to try again
// and the same request then has its one effect.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	weak := &failing{Store: s.store.Access()}
	gate, err := access.New(access.Config{Store: weak})
	if err != nil {
		t.Fatal(err)
	}
	api, err := caapi.New(caapi.Config{Authority: s.ca, Gate: gate})
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = api
	_, key := s.client(t, access.Client{Name: "ra-1"})
	_, second := s.client(t, access.Client{Name: "ra-2"})
	interrupted := func(name, path, key string, body any) {
		t.Helper()
		for _, after := range []bool{false, true} {
			for at := 1; at <= 2; at++ {
				weak.mu.Lock()
				weak.at, weak.after = at, after
				weak.mu.Unlock()
				a := s.do(t, "POST", path, key, body, "Idempotency-Key", name)
				weak.mu.Lock()
				met := weak.at <= 0
				weak.mu.Unlock()
				if met && a.StatusCode != http.StatusServiceUnavailable && a.Header.Get("Idempotent-Replayed") == "" {
					t.Errorf("%s: write %d failed (after %t), but %s", path, at, after, a.Status)
				}
			}
		}
		weak.mu.Lock()
		weak.at = 0
		weak.mu.Unlock()
		last := s.do(t, "POST", path, key, body, "Idempotency-Key", name)
		if last.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s", path, last.Status, last.body)
		}
	}
	o, _ := order(t)
	interrupted("A-1", "/ca/v1/certificates", key, o)
	all, err := s.ca.ByHolder(t.Context(), "123456789011", "")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d certificates, %v", len(all), err)
	}
	path := "/ca/v1/certificates/" + all[0].Serial
	interrupted("H", path+"/hold", key, client.HoldRequest{})
	interrupted("R", path+"/release", key, client.HoldRequest{})
	interrupted("R", path+"/release", second, client.HoldRequest{})
	if info, err := s.ca.Certificate(t.Context(), all[0].Serial); err != nil || info.Revoked != nil {
		t.Errorf("%+v, %v", info.Revoked, err)
	}
	interrupted("V", path+"/revoke", key, client.RevokeRequest{Reason: "superseded"})
}

// TestBounds: what is refused before it is looked at.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	_, key := s.client(t, access.Client{})
	o, _ := order(t)
	good := []string{"Idempotency-Key", "K"}
	long := o
	long.CSR = strings.Repeat("A", 60<<10)
	for name, tt := range map[string]struct {
		method, path string
		body         any
		headers      []string
		status       int
		code         string
	}{
		"no idempotency key":     {"POST", "/certificates", o, nil, 400, "KEY_REQUIRED"},
		"a personal number":      {"POST", "/certificates", o, []string{"Idempotency-Key", "123456789011"}, 400, "KEY_REQUIRED"},
		"a strange key":          {"POST", "/certificates", o, []string{"Idempotency-Key", "a/b"}, 400, "KEY_REQUIRED"},
		"too long":               {"POST", "/certificates", long, good, 413, "TOO_LARGE"},
		"compressed":             {"POST", "/certificates", o, append(good[:2:2], "Content-Encoding", "gzip"), 415, "CONTENT_ENCODING"},
		"another type":           {"POST", "/certificates", o, append(good[:2:2], "Content-Type", "text/plain"), 415, "MEDIA_TYPE"},
		"no JSON":                {"POST", "/certificates", []byte("{"), good, 400, "REQUEST_INVALID"},
		"an unknown field":       {"POST", "/certificates", map[string]any{"profile": "individual", "csr": o.CSR, "subject": o.Subject, "not_after": "2036-01-01T00:00:00Z"}, good, 422, "REQUEST_INVALID"},
		"something after":        {"POST", "/certificates", []byte(`{"profile":"individual","csr":"AA==","subject":{"common_name":"A"}} {}`), good, 400, "REQUEST_INVALID"},
		"no such profile":        {"POST", "/certificates", client.IssueRequest{Profile: "king", CSR: o.CSR, Subject: o.Subject}, []string{"Idempotency-Key", "K1"}, 422, ca.CodeProfileUnknown},
		"no request":             {"POST", "/certificates", client.IssueRequest{Profile: "individual", CSR: "AAAA", Subject: o.Subject}, []string{"Idempotency-Key", "K2"}, 422, ca.CodeCSRInvalid},
		"a strange store":        {"POST", "/certificates", client.IssueRequest{Profile: "individual", CSR: o.CSR, Subject: o.Subject, Storage: "1.2.3"}, []string{"Idempotency-Key", "K3"}, 422, "STORAGE_UNKNOWN"},
		"no serial":              {"GET", "/certificates/zz", nil, nil, 422, "REQUEST_INVALID"},
		"a cursor of their own":  {"GET", "/certificates?cursor=AAAA", nil, nil, 422, "CURSOR_INVALID"},
		"an unknown parameter":   {"GET", "/certificates?name=A", nil, nil, 422, "REQUEST_INVALID"},
		"too long a time":        {"GET", "/certificates?from=2024-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", nil, nil, 422, "PERIOD_TOO_LONG"},
		"no such list":           {"GET", "/authorities/none/crl", nil, nil, 404, "NOT_FOUND"},
		"no such route":          {"GET", "/nothing", nil, nil, 404, "NOT_FOUND"},
		"no such method":         {"DELETE", "/certificates", nil, nil, 405, "METHOD_NOT_ALLOWED"},
		"a date in the future":   {"POST", "/certificates/" + strings.Repeat("0", 40) + "/revoke", map[string]string{"reason": "keyCompromise", "invalidity": "2999-01-01T00:00:00Z"}, []string{"Idempotency-Key", "K4"}, 422, "DATE_FUTURE"},
		"revoke what is not":     {"POST", "/certificates/" + strings.Repeat("0", 40) + "/revoke", client.RevokeRequest{Reason: "superseded"}, []string{"Idempotency-Key", "K5"}, 404, "NOT_FOUND"},
		"a number for reference": {"POST", "/certificates/" + strings.Repeat("0", 40) + "/hold", client.HoldRequest{Reference: "of 123456789011"}, []string{"Idempotency-Key", "K6"}, 422, "REFERENCE_INVALID"},
	} {
		a := s.do(t, tt.method, "/ca/v1"+tt.path, key, tt.body, tt.headers...)
		if a.StatusCode != tt.status || a.problem.Code != tt.code {
			t.Errorf("%s: %s %s, want %d %s", name, a.Status, a.problem.Code, tt.status, tt.code)
		}
		if bytes.Contains(a.body, []byte("123456789011")) {
			t.Errorf("%s: the answer repeats a personal number: %s", name, a.body)
		}
		if a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", name, a.Header)
		}
	}
	if a := s.do(t, "OPTIONS", "/ca/v1/certificates", "", nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"); a.StatusCode < 400 || a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a browser's question: %s", a.Status)
	}
}

// TestSec9Limits: per client, per address, and for those nobody knows.
func TestSec9Limits(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *caapi.Config) {
		c.PerAddress, c.Failures = limit.Rate{Acts: 30, In: time.Minute}, limit.Rate{Acts: 5, In: time.Minute}
	}, algid.GOST512)
	_, key := s.client(t, access.Client{PerMinute: 10})
	from := func(address, key string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/ca/v1/profiles", nil)
		r.RemoteAddr = address
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(w, r)
		return w
	}
	count := func(n int, address, key string) (refused int) {
		for range n {
			w := from(address, key)
			if w.Code == http.StatusTooManyRequests {
				refused++
				if w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "TOO_MANY") {
					t.Error("no word of when to come back")
				}
			}
		}
		return refused
	}
	if n := count(12, "203.0.113.1:1", key); n != 2 {
		t.Errorf("client: %d of 12 refused, want 2", n)
	}
	if n := count(8, "203.0.113.2:1", "nobody.AA"); n != 3 {
		t.Errorf("unknown: %d of 8 refused, want 3", n)
	}
	if n := count(32, "203.0.113.3:1", key); n < 2 {
		t.Errorf("address: %d of 32 refused", n)
	}
	if n := count(25, "[2001:db8::1]:1", "nobody.AA") + count(25, "[2001:db8::2]:1", "nobody.AA"); n != 45 {
		t.Errorf("one /64: %d of 50 refused, want 45", n)
	}
}

// TestStrangersAreNotRecordedWithoutEnd: whoever proves nothing is told so before anything else of his call is
// looked at, and soon is not recorded any more.
func TestStrangersAreNotRecordedWithoutEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *caapi.Config) { c.Failures = limit.Rate{Acts: 5, In: time.Minute} }, algid.GOST512)
	codes := map[int]int{}
	for range 20 {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/ca/v1/certificates", strings.NewReader("{}"))
		r.RemoteAddr = "203.0.113.1:1"
		r.Header.Set("Content-Encoding", "gzip")
		w := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(w, r)
		codes[w.Code]++
	}
	if codes[http.StatusUnauthorized] != 5 || codes[http.StatusTooManyRequests] != 15 {
		t.Errorf("answers to a stranger: %v", codes)
	}
}

// TestReplacesItsOwn: a new certificate follows one of the same holder that the client may touch; another's
// would count as renewed.
func TestReplacesItsOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	all, _ := s.client(t, access.Client{Name: "all"})
	narrow, _ := s.client(t, access.Client{Name: "narrow", Profiles: []string{"individual-sign"}})
	cert, _ := s.issue(t, all, "A-1")
	for name, c := range map[string]struct {
		by     *client.Client
		change func(*client.IssueRequest)
		want   string
	}{
		"nobody's":             {all, func(r *client.IssueRequest) { r.Replaces = strings.Repeat("1", 40) }, "REPLACES_INVALID"},
		"another holder's":     {all, func(r *client.IssueRequest) { r.Subject.IIN = "990101300018" }, "REPLACES_INVALID"},
		"of a profile not his": {narrow, func(r *client.IssueRequest) { r.Profile = "individual-sign" }, "REPLACES_INVALID"},
		"the same holder's":    {all, func(*client.IssueRequest) {}, ""},
	} {
		o, _ := order(t)
		o.Replaces = cert.SerialHex()
		c.change(&o)
		if _, err := c.by.Issue(t.Context(), strings.Map(func(r rune) rune {
			if r == ' ' || r == '\'' {
				return '-'
			}
			return r
		}, name), o); code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFirstVoiceOfOneShutOut: the voice of a client that was disabled, or lost the right, counts no more.
func TestFirstVoiceOfOneShutOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	first, _ := s.client(t, access.Client{Name: "first"})
	second, _ := s.client(t, access.Client{Name: "second"})
	third, _ := s.client(t, access.Client{Name: "third"})
	cert, _ := s.issue(t, first, "A-1")
	serial := cert.SerialHex()
	if _, err := first.Hold(t.Context(), serial, "H", client.HoldRequest{}); err != nil {
		t.Fatal(err)
	}
	if r, err := first.Release(t.Context(), serial, "R", client.HoldRequest{}); err != nil || r.State != "awaiting_second" {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := s.gate.Disable(t.Context(), "first", "tester"); err != nil {
		t.Fatal(err)
	}
	if r, err := second.Release(t.Context(), serial, "R", client.HoldRequest{}); err != nil || r.State != "awaiting_second" || r.First != "second" {
		t.Errorf("with the voice of a client that is disabled: %+v, %v", r, err)
	}
	if r, err := third.Release(t.Context(), serial, "R", client.HoldRequest{}); err != nil || r.State != "released" || r.First != "second" {
		t.Errorf("two voices: %+v, %v", r, err)
	}
}

// TestMutualTLS: the certificate of the connection says who calls; a key bound to a certificate is
// worth nothing without it.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.RSA)
	ctx := t.Context()
	// The client's certificate is one of our own: an RSA sign-in certificate.
	key := pkitest.NewKey(t, algid.RSA)
	first, _ := s.client(t, access.Client{Name: "first"})
	made, err := first.Issue(ctx, "A-1", request(t, key, "individual-auth"))
	if err != nil {
		t.Fatal(err)
	}
	der, err := client.DER(made.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	pin := hex.EncodeToString(sum[:])
	both, err := s.gate.Add(ctx, access.Client{Name: "both", Rights: access.Rights()}, true, "tester")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.gate.Rotate(ctx, "both", pin, "tester"); err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewUnstartedServer(s.Config.Handler)
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert}
	secure.StartTLS()
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	open := func(key string, certs ...tls.Certificate) *client.Client {
		c, err := client.New(client.Config{URL: secure.URL, Key: key, Tries: 1, TLS: &tls.Config{RootCAs: roots, Certificates: certs}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	get := func(c *client.Client) string {
		_, err := c.Profiles(ctx)
		return code(err)
	}
	if got := get(open(both, pair)); got != "" {
		t.Errorf("key and certificate: %s", got)
	}
	if got := get(open(both)); got != "UNAUTHENTICATED" {
		t.Errorf("the key alone: %s", got)
	}
	if got := get(open("", pair)); got != "UNAUTHENTICATED" {
		t.Errorf("the certificate alone: %s", got)
	}
	signing, alone := newRSA(t), newRSA(t)
	other, err := first.Issue(ctx, "A-2", request(t, signing, "individual-sign"))
	if err != nil {
		t.Fatal(err)
	}
	otherDER, _ := client.DER(other.Certificate)
	otherSum := sha256.Sum256(otherDER)
	if _, err := s.gate.Add(ctx, access.Client{Name: "signing", Rights: access.Rights(), Certificate: hex.EncodeToString(otherSum[:])}, false, "tester"); err != nil {
		t.Fatal(err)
	}
	if got := get(open("", tls.Certificate{Certificate: [][]byte{otherDER}, PrivateKey: signing})); got != "UNAUTHENTICATED" {
		t.Errorf("a certificate that is for signing only: %s", got)
	}
	// the same certificate, of a client without a key
	if err := s.gate.Disable(ctx, "both", "tester"); err != nil {
		t.Fatal(err)
	}
	if got := get(open(both, pair)); got != "CLIENT_DISABLED" {
		t.Errorf("disabled: %s", got)
	}
	third, err := first.Issue(ctx, "A-3", request(t, alone, "individual-auth"))
	if err != nil {
		t.Fatal(err)
	}
	thirdDER, _ := client.DER(third.Certificate)
	thirdSum := sha256.Sum256(thirdDER)
	if _, err := s.gate.Add(ctx, access.Client{Name: "tls", Rights: access.Rights(), Certificate: hex.EncodeToString(thirdSum[:])}, false, "tester"); err != nil {
		t.Fatal(err)
	}
	tlsOnly := open("", tls.Certificate{Certificate: [][]byte{thirdDER}, PrivateKey: alone})
	if got := get(tlsOnly); got != "" {
		t.Errorf("the certificate alone, where that is enough: %s", got)
	}
	if _, err := first.Revoke(ctx, third.Serial, "R-3", client.RevokeRequest{Reason: "keyCompromise"}); err != nil {
		t.Fatal(err)
	}
	if got := get(tlsOnly); got != "UNAUTHENTICATED" {
		t.Errorf("revoked: %s", got)
	}
}

func newRSA(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
