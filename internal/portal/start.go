package portal

import (
	"net/http"

	"senim/internal/web"
)

// start is the first page: sign in, or register.
func (s *site) start(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, startPage(r, s.registries != nil))
}
