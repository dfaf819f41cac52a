package web

import "net/http"

// Attach heads an answer that is a file to be saved, never a page of ours, and kept by nobody on the way.
// Name holds nothing a person typed.
func Attach(w http.ResponseWriter, kind, name string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}
