// Program serve runs one HTTP server to be measured, until its standard input ends. Its first line of
// output is a JSON object of type [said].
//
//	serve -what kept        a responder over SQLite, asked by GET for one certificate
//	serve -what bare        a bare net/http handler that writes the same bytes with the same headers
//	serve -what live        the responder, asked by POST with a nonce
//	serve -what million     the responder over a store that knows every serial as issued
package main

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/responder"
	"senim/internal/store"
	"senim/ocsp"
	"senim/pki"
)

func main() {
	what := flag.String("what", "kept", "kept, bare, live or million")
	flag.Parse()
	if err := run(context.Background(), *what, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// said is what the one who measures must know.
type said struct {
	Address  string `json:"address"`
	Question []byte `json:"question"` // a whole HTTP request
	// Issuer makes questions about serials 1 to n, as they are here.
	NameHash []byte `json:"name_hash"`
	KeyHash  []byte `json:"key_hash"`
}

func run(ctx context.Context, what string, in io.Reader, out io.Writer) error {
	dir, err := os.MkdirTemp("", "senim-serve-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := store.Open(ctx, store.Config{URL: filepath.Join(dir, "senim.db"), Node: "bench"})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	records := s.CA()
	if what == "million" {
		records = knowsAll{records}
	}
	service, issuer, err := authority(ctx, records)
	if err != nil {
		return err
	}
	if err := record(ctx, records); err != nil {
		return err
	}
	var h http.Handler
	if h, err = responder.New(responder.Config{Authority: service}); err != nil {
		return err
	}
	id, err := ocsp.NewCertID(algid.SHA256, issuer, serial(1))
	if err != nil {
		return err
	}
	answer := said{NameHash: id.NameHash, KeyHash: id.KeyHash}
	q := ocsp.Request{IDs: []ocsp.CertID{id}}
	if what == "live" {
		q.Nonce = []byte("0123456789abcdef")
	}
	der, err := ocsp.CreateRequest(q)
	if err != nil {
		return err
	}
	get := "/ocsp/" + strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(base64.StdEncoding.EncodeToString(der))
	answer.Question = []byte("GET " + get + " HTTP/1.1\r\nHost: bench\r\n\r\n")
	switch what {
	case "live":
		answer.Question = fmt.Appendf(nil, "POST /ocsp/ HTTP/1.1\r\nHost: bench\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der)
	case "bare":
		if h, err = bare(ctx, h, get); err != nil {
			return err
		}
	case "kept", "million":
	default:
		return errors.New("no such server")
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer.Address = ln.Addr().String()
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	if err := json.NewEncoder(out).Encode(answer); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, server.Close(), ignoreClosed(<-failed))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// bare asks the responder once and makes a handler that does nothing but write what it wrote.
func bare(ctx context.Context, h http.Handler, path string) (http.Handler, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	if w.Code != http.StatusOK || w.Header().Get("Etag") == "" {
		return nil, fmt.Errorf("the responder says %d", w.Code)
	}
	body, headers := w.Body.Bytes(), w.Header()
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for name, values := range headers {
			h[name] = values
		}
		_, _ = w.Write(body)
	}), nil
}

// keys keeps keys in memory: where they lie costs nothing when they are open.
type keys struct{ sync.Map }

func (k *keys) Keep(_ context.Context, name string, key crypto.Signer) error {
	k.Store(name, key)
	return nil
}

func (k *keys) Key(_ context.Context, name string) (crypto.Signer, error) {
	if key, ok := k.Load(name); ok {
		return key.(crypto.Signer), nil
	}
	return nil, ca.ErrNotFound
}

func authority(ctx context.Context, s ca.Store) (*ca.Service, *pki.Certificate, error) {
	k := &keys{}
	err := ca.Create(ctx, ca.Ceremony{Store: s, Keys: k, By: "bench", Plans: []ca.Plan{{
		Name: "gost", Algorithm: algid.GOST512, RootName: "ROOT", IssuingName: "ISSUING", Address: "http://localhost:8082"}}})
	if err != nil {
		return nil, nil, err
	}
	service, err := ca.Open(ctx, ca.Config{Store: s, Keys: k})
	if err != nil {
		return nil, nil, err
	}
	for _, a := range service.Authorities() {
		if a.Parent != "" {
			return service, a.Certificate, nil
		}
	}
	return nil, nil, errors.New("no issuing authority")
}

// serial is the serial of the i-th certificate, spread as real ones are.
func serial(i int64) *big.Int {
	sum := algid.SHA1.Sum(big.NewInt(i).Bytes())
	sum[0] = sum[0]&0x7f | 0x10
	return new(big.Int).SetBytes(sum)
}

// record records a certificate as issued without signing it: nobody here reads what is in it.
func record(ctx context.Context, s ca.Store) error {
	now := time.Now()
	x := pki.SerialHex(serial(1))
	return s.Update(ctx, func(tx ca.Tx) error {
		return tx.Reserve(ctx, ca.Record{CA: "gost", Serial: x, Order: x, Key: x, Profile: "individual", State: ca.Done, Raw: make([]byte, 900),
			NotBefore: now, NotAfter: now.AddDate(1, 0, 0), Created: now})
	})
}

// knowsAll is a store in which every serial is issued: what is measured is the responder's memory, and
// to fill a real one would take longer than to measure.
type knowsAll struct{ ca.Store }

func (k knowsAll) View(ctx context.Context, f func(ca.Tx) error) error {
	return k.Store.View(ctx, func(tx ca.Tx) error { return f(knowsAllTx{tx}) })
}

type knowsAllTx struct{ ca.Tx }

func (t knowsAllTx) Status(ctx context.Context, serial string) (ca.Record, error) {
	if r, err := t.Tx.Status(ctx, serial); !errors.Is(err, ca.ErrNotFound) {
		return r, err
	}
	return ca.Record{CA: "gost", Serial: serial, State: ca.Done, NotAfter: time.Now().AddDate(1, 0, 0)}, nil
}
