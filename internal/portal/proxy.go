package portal

import (
	"fmt"
	"net/http"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// myProxy gives an invited user the power of attorney he acts by: the document his head signed; or that with its proof.
func (s *site) myProxy(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	p, err := s.office.Choose(r.Context(), iin, r.Value(profileID), r.Value(keyBIN))
	if err != nil {
		return &stopped{err: err, next: []web.Link{{Text: r.T("portal.menu.profile"), Href: "/login/profile"}}}
	}
	return s.sendProxy(w, r, p, p.ID)
}

// userProxy gives a head that of one of his users.
func (s *site) userProxy(w http.ResponseWriter, r *web.Request, head participant.Profile) error {
	return s.sendProxy(w, r, head, r.PathValue("profile"))
}

func (s *site) sendProxy(w http.ResponseWriter, r *web.Request, reader participant.Profile, profile string) error {
	doc, files, err := s.office.PowerOfAttorney(r.Context(), reader, profile)
	if err != nil {
		return err
	}
	name := "proxy-" + doc.At.UTC().Format("20060102")
	switch r.PathValue("part") {
	case "all":
		return sendBundle(w, name, doc.At, files)
	case "":
	default:
		return web.ErrNotFound
	}
	web.Attach(w, "application/xml", name+".xml")
	if _, err := w.Write(doc.Answer); err != nil {
		return fmt.Errorf("send power of attorney: %w", err)
	}
	return nil
}
