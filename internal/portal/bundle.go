package portal

import (
	"net/http"
	"time"

	"senim/internal/participant"
	"senim/internal/web"
)

// sendBundle gives a signed document with all that proves it.
func sendBundle(w http.ResponseWriter, name string, at time.Time, files []participant.File) error {
	all := make([]web.BundleFile, len(files))
	for i, f := range files {
		all[i] = web.BundleFile(f)
	}
	return web.SendBundle(w, name, at, all)
}
