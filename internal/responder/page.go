package responder

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"

	"senim/internal/lang"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// entry is one authority on the page.
type entry struct {
	Name, Subject, Until, SHA256 string
	Issuing                      bool
	ListMade, ListNext           string
}

// page says what is here, in the language the browser asks for.
func (r *Responder) page(w http.ResponseWriter, req *http.Request) {
	tag := language(req)
	var entries []entry
	for _, a := range r.c.Authority.Authorities() {
		sum := a.Certificate.Fingerprint()
		e := entry{Name: a.Name, Subject: a.Certificate.Subject.String(), Until: tag.Date(a.Certificate.NotAfter), SHA256: hex.EncodeToString(sum[:]), Issuing: a.Issuing}
		if l, err := r.c.Authority.CRL(req.Context(), a.Name, false); err == nil {
			e.ListMade, e.ListNext = tag.DateTime(l.ThisUpdate), tag.DateTime(l.NextUpdate)
		}
		entries = append(entries, e)
	}
	t, err := template.New("page").Funcs(template.FuncMap{"text": func(key string) string { return tag.Text("responder." + key) }}).Parse(pageText)
	var out bytes.Buffer
	if err == nil {
		err = t.Execute(&out, map[string]any{"Lang": string(tag), "Languages": lang.All(), "Entries": entries, "Test": r.c.TestMode, "Now": tag.DateTime(r.c.Now()),
			"Stamps": r.c.Stamps != nil, "NoTime": r.c.Stamps != nil && r.c.Stamps.Ready() != nil})
	}
	if err != nil {
		r.c.Log.Error("responder page", "error", err)
		http.Error(w, "this page cannot be shown now", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Vary", "Accept-Language")
	_, _ = w.Write(out.Bytes())
}

// language is the one of the address (?lang=kk), else the one the browser asks for.
func language(req *http.Request) lang.Tag {
	if tag, ok := lang.Parse(req.URL.Query().Get("lang")); ok {
		return tag
	}
	return lang.Accept(req.Header.Get("Accept-Language"))
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600, public")
	_, _ = w.Write([]byte(styleText))
}
