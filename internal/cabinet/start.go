package cabinet

import (
	"net/http"

	"senim/internal/web"
)

// start is the first page: enter, get keys, check a certificate.
func (s *cabinet) start(w http.ResponseWriter, r *web.Request) error {
	if r.Session().SignedIn() {
		return r.Redirect("/keys")
	}
	return r.OK(w, startPage(r))
}
