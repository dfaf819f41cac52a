package portal

import (
	"fmt"
	"net/http"
	"path"
	"slices"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
	"senim/pki"
)

// myActs is «Мои подписи»: what the person signed beside agreements.
func (s *site) myActs(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	all, err := s.office.SignedActs(r.Context(), iin)
	if err != nil {
		return err
	}
	return r.OK(w, actsView(r, all))
}

func (s *site) myAct(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	a, err := s.office.SignedAct(r.Context(), iin, r.PathValue("id"))
	if err != nil {
		return err
	}
	return r.OK(w, signedActView(r, a))
}

// actRows are an act's facts.
func actRows(r *web.Request, a participant.ProvedAct) []web.Row {
	serial := "—"
	if c, err := pki.ParseCertificate(a.Certificate); err == nil {
		serial = c.SerialHex()
	}
	stamped := r.T("agreement.stamp.none")
	if a.Stamped {
		stamped = r.T("agreement.stamp.yes")
	}
	return []web.Row{{Label: r.T("acts.kind"), Value: r.T("acts.kind." + string(a.Kind))}, {Label: r.T("agreement.signed"), Value: r.DateTime(a.At)},
		{Label: r.T("acts.certificate"), Value: serial, Mono: true}, {Label: r.T("agreement.stamp"), Value: stamped}}
}

// actFile gives all files of an act as one, or one of them.
func (s *site) actFile(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	a, err := s.office.SignedAct(r.Context(), iin, r.PathValue("id"))
	if err != nil {
		return err
	}
	part := r.PathValue("part")
	if part == "all" {
		return sendBundle(w, "act-"+string(a.Kind)+"-"+a.At.UTC().Format("20060102"), a.At, a.Files)
	}
	i := slices.IndexFunc(a.Files, func(f participant.File) bool { return f.Name == part })
	if i < 0 {
		return web.ErrNotFound
	}
	kinds := map[string]string{".txt": "text/plain; charset=utf-8", ".xml": "application/xml", ".p7s": "application/pkcs7-signature", ".json": "application/json",
		".cer": "application/pkix-cert", ".tst": "application/vnd.etsi.timestamp-token", ".ocsp": "application/ocsp-response", ".crl": "application/pkix-crl"}
	kind := kinds[path.Ext(part)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	web.Attach(w, kind, part)
	if _, err := w.Write(a.Files[i].Body); err != nil {
		return fmt.Errorf("send signed act: %w", err)
	}
	return nil
}
