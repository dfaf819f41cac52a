package responder

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"senim/internal/ca"
)

// list serves a revocation list whole: the one before or the one after, never half of either.
func (r *Responder) list(w http.ResponseWriter, req *http.Request) {
	name, ok := strings.CutSuffix(req.PathValue("file"), ".crl")
	if !ok {
		http.NotFound(w, req)
		return
	}
	name, delta := strings.CutSuffix(name, "_d")
	if of := req.PathValue("ca"); of != "" { // one of the lists its certificates are divided among
		name = of + "/" + name
	}
	l, err := r.c.Authority.CRL(req.Context(), name, delta)
	if errors.Is(err, ca.ErrNotFound) {
		http.NotFound(w, req)
		return
	}
	if err != nil {
		r.c.Log.Error("revocation list", "name", name, "error", err)
		w.Header()["Cache-Control"] = noStore
		http.Error(w, "the list cannot be had now", http.StatusServiceUnavailable)
		return
	}
	r.cache(w, tagOfSum(l.Sum), l.ThisUpdate, l.NextUpdate, listCached)
	w.Header().Set("Content-Type", "application/pkix-crl")
	http.ServeContent(w, req, "", l.ThisUpdate, bytes.NewReader(l.Raw))
}

// certificate serves the certificate of an authority.
func (r *Responder) certificate(w http.ResponseWriter, req *http.Request) {
	name, ok := strings.CutSuffix(req.PathValue("file"), ".cer")
	for _, a := range r.c.Authority.Authorities() {
		for _, c := range append([]ca.Cross{{Name: a.Name, Certificate: a.Certificate}}, a.Cross...) {
			if !ok || c.Name != name {
				continue
			}
			r.cache(w, tagOf(c.Certificate.Raw), c.Certificate.NotBefore, c.Certificate.NotAfter, certificateCached)
			w.Header().Set("Content-Type", "application/pkix-cert")
			http.ServeContent(w, req, "", c.Certificate.NotBefore, bytes.NewReader(c.Certificate.Raw))
			return
		}
	}
	http.NotFound(w, req)
}

// health is 200 when every issuing authority has lists that are inside their dates, and whoever was
// named in [Config] besides is well.
func (r *Responder) health(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.c.Health != nil { // it may know why there are no lists
		if err := r.c.Health(req.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	for _, a := range r.c.Authority.Authorities() {
		l, err := r.c.Authority.CRL(req.Context(), a.Name, false)
		if err != nil || r.c.Now().After(l.NextUpdate) {
			http.Error(w, "no current revocation list of "+a.Name, http.StatusServiceUnavailable)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	said := "ok\n"
	if r.c.Warning != "" {
		said += "warning: " + r.c.Warning + "\n"
	}
	_, _ = w.Write([]byte(said))
}
