package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"senim/internal/ask"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/trustdir"
	"senim/ocsp"
	"senim/tsp"
)

// signedAtThePortal: what people sign here is time-stamped by the authority there, and its answers about the signer and
// about who stamped are had; there itself they are had without the network.
func (s *server) signedAtThePortal(t *testing.T, there *server) {
	t.Helper()
	sum := sha256.Sum256([]byte("signed"))
	der, err := s.portalStamps().Stamp(t.Context(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(der)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := token.Verify()
	if err != nil || token.Covers([]byte("signed")) != nil {
		t.Fatalf("the token: %v", err)
	}
	for name, p := range map[string]proofs{"here": s.proofs(), "there": there.proofs()} {
		all, err := p.About(t.Context(), authority)
		if err != nil || len(all) == 0 || all[0].Kind != participant.ProofAnswer || !all[0].Ends.After(time.Now()) {
			t.Fatalf("%s: %d answers, %v", name, len(all), err)
		}
		answer, err := ocsp.ParseResponse(all[0].Body)
		if err != nil || len(answer.Singles) != 1 || answer.Singles[0].Status != ocsp.Good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A token of an authority elsewhere is taken when it is over our bytes, of now, and of an authority trusted here.
func TestTokensOfAnotherAuthority(t *testing.T) {
	ca := pkitest.New(t)
	tsa := ca.TSA()
	digest := sha256.Sum256([]byte("signed"))
	answer := func(change func(q *tsp.Request, s *tsp.Stamp)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			q, err := tsp.ParseRequest(body)
			if err != nil {
				t.Error(err)
				return
			}
			s := tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(7), Time: ca.Now}
			change(q, &s)
			der, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, q, s)
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(der)
		}
	}
	for name, c := range map[string]struct {
		there http.HandlerFunc
		why   string // "" good
	}{
		"good":        {answer(func(*tsp.Request, *tsp.Stamp) {}), ""},
		"other bytes": {answer(func(q *tsp.Request, _ *tsp.Stamp) { q.Imprint.Digest = make([]byte, 32) }), "time-stamp"},
		"other nonce": {answer(func(q *tsp.Request, _ *tsp.Stamp) { q.Nonce = big.NewInt(1) }), "time-stamp"},
		"other clock": {answer(func(_ *tsp.Request, s *tsp.Stamp) { s.Time = ca.Now.Add(-time.Hour) }), "too far apart"},
		"refused":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tsp.Refuse(tsp.TimeNotAvailable)) }, "refused"},
		"no answer":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502"},
		"no token":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "time-stamp"},
	} {
		site := httptest.NewServer(c.there)
		far := farStamps{site.URL, ask.Client(), ca.Pool(), func() time.Time { return ca.Now }}
		der, err := far.Stamp(t.Context(), digest[:])
		switch {
		case c.why == "" && err == nil:
			far.pool = pkitest.New(t).Pool()
			if _, err := far.Stamp(t.Context(), digest[:]); err == nil {
				t.Error("a token of an unknown authority was taken")
			}
		case c.why == "" || err == nil || !strings.Contains(err.Error(), c.why) || der != nil:
			t.Errorf("%s: %d bytes, %v", name, len(der), err)
		}
		site.Close()
	}
}

// Whoever has no time-stamps, or none for now, is told at the start.
func TestNoTimeStampsAreAWarning(t *testing.T) {
	var log bytes.Buffer
	silent := httptest.NewServer(http.NotFoundHandler())
	defer silent.Close()
	for address, want := range map[string]string{"none": "no time-stamping authority is set", silent.URL: "gives nothing"} {
		log.Reset()
		s := &server{log: slog.New(slog.NewTextHandler(&log, nil)), trust: trustdir.New(), now: time.Now}
		s.c.portalRules.stamps = address
		if err := s.tryStamps(t.Context()); err != nil || !strings.Contains(log.String(), want) || !strings.Contains(log.String(), "will not be later") {
			t.Errorf("%s: %v, %s", address, err, log.String())
		}
	}
	if _, _, err := parse([]string{"serve", "-tsp.url", "none"}, io.Discard); err == nil {
		t.Error("-tsp.url without -ca.url is taken")
	}
}
