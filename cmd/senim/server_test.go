package main

import (
	"context"
	"crypto/rand"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/ask"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
	"senim/tsp"
)

// network is a time-stamping authority and a responder on a local port, with a way to misbehave under
// every path.
type network struct {
	*httptest.Server
	a         *pkitest.Authority
	tsa       *pkitest.Leaf
	responder *pkitest.Leaf
	revoked   *pki.Certificate
}

func newNetwork(t *testing.T, a *pkitest.Authority, revoked *pki.Certificate) *network {
	n := &network{a: a, tsa: a.TSA(), responder: a.Responder(), revoked: revoked}
	mux := http.NewServeMux()
	stranger := pkitest.New(t, pkitest.Config{Now: now})
	strangeTSA, strangeResponder := stranger.TSA(), stranger.Responder()
	gone := make(chan struct{})

	handle := func(path string, k ask.Kind, answer func(question []byte) []byte) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.Header.Get("Content-Type") != k.Question {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", k.Answer)
			_, _ = w.Write(answer(body))
		})
	}
	stamp := func(t *testing.T, der []byte, by *pkitest.Leaf, change func(*tsp.Request)) []byte {
		q, err := tsp.ParseRequest(der)
		if err != nil {
			return tsp.Refuse(tsp.BadDataFormat)
		}
		policy := q.Policy
		change(q)
		if q.Policy != nil {
			policy = q.Policy
		}
		out, err := tsp.CreateResponse(rand.Reader, by.Key, by.Certificate, q, tsp.Stamp{Policy: policy, Serial: big.NewInt(77), Time: now})
		if err != nil {
			t.Error(err)
		}
		return out
	}
	handle("/tsp/", ask.TSP, func(q []byte) []byte { return stamp(t, q, n.tsa, func(*tsp.Request) {}) })
	handle("/tsp/stranger", ask.TSP, func(q []byte) []byte { return stamp(t, q, strangeTSA, func(*tsp.Request) {}) })
	handle("/tsp/person", ask.TSP, func([]byte) []byte { return []byte{0x30, 0} })
	handle("/tsp/nonce", ask.TSP, func(q []byte) []byte {
		return stamp(t, q, n.tsa, func(r *tsp.Request) { r.Nonce = big.NewInt(1) })
	})
	handle("/tsp/bytes", ask.TSP, func(q []byte) []byte {
		return stamp(t, q, n.tsa, func(r *tsp.Request) { r.Imprint = tsp.NewImprint(r.Imprint.Hash, []byte("other")) })
	})
	handle("/tsp/policy", ask.TSP, func(q []byte) []byte {
		return stamp(t, q, n.tsa, func(r *tsp.Request) { r.Policy = tsp.PolicyRSA })
	})
	handle("/tsp/refuse", ask.TSP, func([]byte) []byte { return tsp.Refuse(tsp.UnacceptedPolicy) })
	handle("/tsp/long", ask.TSP, func([]byte) []byte { return make([]byte, maxStamp+1) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, _ *http.Request) { <-gone })
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/tsp/", http.StatusTemporaryRedirect)
	})

	answer := func(q []byte, by *pkitest.Leaf) []byte {
		r, err := ocsp.ParseRequest(q)
		if err != nil {
			return ocsp.ErrorResponse(ocsp.Malformed)
		}
		template := ocsp.ResponseTemplate{ProducedAt: now, Nonce: r.Nonce}
		for _, id := range r.IDs {
			one := ocsp.Single{ID: id, Status: ocsp.Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}
			if id.Serial.Cmp(revoked.Serial) == 0 {
				one.Status, one.RevokedAt, one.Reason, one.HasReason = ocsp.Revoked, now.Add(-time.Hour), pki.KeyCompromise, true
			}
			template.Singles = append(template.Singles, one)
		}
		out, err := ocsp.CreateResponse(rand.Reader, by.Key, by.Certificate, template)
		if err != nil {
			t.Error(err)
		}
		return out
	}
	handle("/ocsp/", ask.OCSP, func(q []byte) []byte { return answer(q, n.responder) })
	unmarked := a.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "OCSP RESPONDER"}, Change: func(c *pki.Template) {
		c.KeyUsage, c.ExtKeyUsage = pki.DigitalSignature, append(c.ExtKeyUsage[:0:0], pki.OCSPSigning)
	}})
	handle("/ocsp/unmarked", ask.OCSP, func(q []byte) []byte { return answer(q, unmarked) })
	handle("/ocsp/stranger", ask.OCSP, func(q []byte) []byte { return answer(q, strangeResponder) })
	handle("/ocsp/nonce", ask.OCSP, func(q []byte) []byte {
		r, err := ocsp.ParseRequest(q)
		if err != nil {
			return nil
		}
		r.Nonce = []byte("another")
		if q, err = ocsp.CreateRequest(*r); err != nil {
			t.Error(err)
		}
		return answer(q, n.responder)
	})
	handle("/ocsp/later", ask.OCSP, func([]byte) []byte { return ocsp.ErrorResponse(ocsp.TryLater) })

	n.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		close(gone)
		n.Close()
	})
	return n
}

// issue is the authority at work: it certifies the key of a request.
func (n *network) issue(t *testing.T, request, certificate string) error {
	data, err := os.ReadFile(request)
	if err != nil {
		return err
	}
	blocks, err := pki.Decode(data)
	if err != nil {
		return err
	}
	r, err := pki.ParseRequest(blocks[0].DER)
	if err != nil {
		return err
	}
	if err := r.CheckSignature(); err != nil {
		return err
	}
	leaf := n.a.Issue(pkitest.Spec{Kind: algid.GOST512, Holder: r.Holder(), Change: func(c *pki.Template) { c.PublicKey, c.SubjectKeyID = r.PublicKey, nil }})
	return os.WriteFile(certificate, leaf.Certificate.Raw, 0o600)
}

// serve carries a question to a server and its answer back, as a person without a network would.
func (n *network) serve(path, question, answer string) error {
	data, err := os.ReadFile(question)
	if err != nil {
		return err
	}
	kind := ask.TSP
	if strings.HasPrefix(path, "/ocsp/") {
		kind = ask.OCSP
	}
	out, err := ask.Post(context.Background(), ask.Client(), n.URL+path, kind, data, 1<<20)
	if err != nil {
		return err
	}
	return os.WriteFile(answer, out, 0o600)
}
