package caapi_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/access"
	"senim/internal/ca"
	"senim/internal/caapi"
	"senim/internal/caapi/client"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/pki"
)

// site is an authority behind its API, over a real database.
type site struct {
	*httptest.Server
	store *store.Store
	ca    *ca.Service
	gate  *access.Gate
	clock *clock
}

// clock is the time of all parts, which tests may move.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// newSite makes authorities of the given kinds; change may alter the configuration.
func newSite(t *testing.T, change func(*caapi.Config), kinds ...algid.Key) *site {
	t.Helper()
	s := &site{store: storetest.SQLite(t), clock: &clock{}}
	keys := &storetest.Keys{}
	names := map[algid.Key]string{algid.GOST512: "gost", algid.RSA: "rsa"}
	var plans []ca.Plan
	for _, k := range kinds {
		plans = append(plans, ca.Plan{Name: names[k], Algorithm: k, RSABits: 2048, RootName: "НЕГІЗГІ ОРТАЛЫҚ", IssuingName: "ОРТАЛЫҚ", Address: "http://localhost:8082"})
	}
	if err := ca.Create(t.Context(), ca.Ceremony{Store: s.store.CA(), Keys: keys, By: "tester", Plans: plans}); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.ca, err = ca.Open(t.Context(), ca.Config{Store: s.store.CA(), Keys: keys, Now: s.clock.now}); err != nil {
		t.Fatal(err)
	}
	if s.gate, err = access.New(access.Config{Store: s.store.Access(), Now: s.clock.now}); err != nil {
		t.Fatal(err)
	}
	c := caapi.Config{Authority: s.ca, Gate: s.gate, Now: s.clock.now}
	if change != nil {
		change(&c)
	}
	api, err := caapi.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(api)
	t.Cleanup(s.Close)
	return s
}

// client registers a client with a key and opens the other side for it.
func (s *site) client(t *testing.T, c access.Client) (*client.Client, string) {
	t.Helper()
	if c.Name == "" {
		c.Name = "ra-1"
	}
	if c.Rights == nil {
		c.Rights = access.Rights()
	}
	key, err := s.gate.Add(t.Context(), c, true, "tester")
	if err != nil {
		t.Fatal(err)
	}
	return s.open(t, key), key
}

func (s *site) open(t *testing.T, key string) *client.Client {
	t.Helper()
	out, err := client.New(client.Config{URL: s.URL, Key: key, Tries: 3, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out
}

// order is a good order of an individual, with its key.
func order(t testing.TB) (client.IssueRequest, crypto.Signer) {
	t.Helper()
	key := pkitest.NewKey(t, algid.GOST512)
	return request(t, key, "individual"), key
}

func request(t testing.TB, key crypto.Signer, profile string) client.IssueRequest {
	t.Helper()
	return client.IssueRequest{Profile: profile, CSR: base64.StdEncoding.EncodeToString(pkitest.Request(t, key, pkitest.Person())),
		Subject: client.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", Patronymic: "ТЕСТОВИЧ", IIN: "123456789011", Email: "t@example.kz"}}
}

// issue has a certificate made.
func (s *site) issue(t *testing.T, c *client.Client, name string) (*pki.Certificate, crypto.Signer) {
	t.Helper()
	o, key := order(t)
	made, err := c.Issue(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, made.Certificate), key
}

func parsed(t testing.TB, certificate string) *pki.Certificate {
	t.Helper()
	der, err := client.DER(certificate)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// renewal is a request for the next certificate with the proof of the old key.
func renewal(t testing.TB, old *pki.Certificate, key crypto.Signer, subject pki.Holder, fresh crypto.Signer) client.RenewRequest {
	t.Helper()
	csr := pkitest.Request(t, fresh, subject)
	proof, err := cms.Sign(rand.Reader, cms.Options{Key: key, Certificate: old, Content: csr, Detached: true, SigningTime: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return client.RenewRequest{CSR: base64.StdEncoding.EncodeToString(csr), Proof: base64.StdEncoding.EncodeToString(proof)}
}

// answer is what came back over HTTP.
type answer struct {
	*http.Response
	body    []byte
	problem client.Problem
}

// do makes a bare call.
func (s *site) do(t testing.TB, method, path, key string, body any, headers ...string) answer {
	t.Helper()
	var content []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		content = b
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{Response: resp}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 400 {
		if kind := resp.Header.Get("Content-Type"); kind != "application/problem+json" {
			t.Errorf("%s %s: %s as %q", method, path, resp.Status, kind)
		}
		if err := json.Unmarshal(a.body, &a.problem); err != nil {
			t.Errorf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
	return a
}
