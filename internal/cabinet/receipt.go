package cabinet

import (
	"context"
	"net/http"

	"senim/internal/web"
)

// Receipts proves that a certificate stands in the public log of certificates issued. Receipt returns the
// file for the holder, nil when the certificate is not in the log.
type Receipts interface {
	Receipt(ctx context.Context, serial string) ([]byte, error)
}

// receipt gives the holder the proof for one of his keys, and with it his salt: nobody else gets it.
func (s *cabinet) receipt(w http.ResponseWriter, r *web.Request) error {
	serial := r.URL.Query().Get("serial")
	list, err := s.c.Office.Keys(r.Context(), viewer(r))
	if err != nil {
		return err
	}
	mine := false
	for _, k := range list {
		mine = mine || k.Serial == serial && k.IIN == r.Session().IIN
	}
	if !mine || s.c.Receipts == nil {
		return web.Refusal{Code: "KEY_UNKNOWN", Status: http.StatusNotFound, Next: []web.Link{{Text: "cabinet.next.keys", Href: "/keys"}}}
	}
	file, err := s.c.Receipts.Receipt(r.Context(), serial)
	if err != nil {
		return err
	}
	if file == nil {
		return web.Refusal{Code: "NOT_IN_LOG", Next: []web.Link{{Text: "cabinet.next.keys", Href: "/keys"}}}
	}
	web.Attach(w, "application/octet-stream", serial+".senim-proof")
	_, err = w.Write(file)
	return err
}
