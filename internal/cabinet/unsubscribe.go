package cabinet

import (
	"context"
	"errors"
	"net/http"

	"senim/internal/notice"
	"senim/internal/web"
)

// Letters is what readers do by the links of our letters.
type Letters interface {
	// Unsubscribes looks at a link that ends reminders, without using it; notice.ErrNotFound when it is
	// not ours or its letter is long forgotten. Unsubscribe uses it; twice is as once.
	Unsubscribes(ctx context.Context, token string) error
	Unsubscribe(ctx context.Context, token string) error
}

func (s *cabinet) letterRoutes(at routes) {
	if s.c.Letters == nil {
		return
	}
	at.open("GET /unsubscribe/{token}", s.askUnsubscribe)
	at.open("POST /unsubscribe/{token}", s.unsubscribe)
}

// askUnsubscribe shows the button: programs that follow every link of a letter change nothing (NT-23).
func (s *cabinet) askUnsubscribe(w http.ResponseWriter, r *web.Request) error {
	if err := s.c.Letters.Unsubscribes(r.Context(), r.PathValue("token")); err != nil {
		return unknownLetter(err)
	}
	return r.OK(w, unsubscribePage(r, false))
}

// unsubscribe is the button, and what mail programs post by themselves when the reader asks them (RFC
// 8058): without a cookie and without having seen the page.
func (s *cabinet) unsubscribe(w http.ResponseWriter, r *web.Request) error {
	if err := s.c.Letters.Unsubscribe(r.Context(), r.PathValue("token")); err != nil {
		return unknownLetter(err)
	}
	return r.OK(w, unsubscribePage(r, true))
}

func unknownLetter(err error) error {
	if !errors.Is(err, notice.ErrNotFound) {
		return err
	}
	return web.Refusal{Code: "UNSUBSCRIBE_UNKNOWN", Status: http.StatusNotFound, Next: []web.Link{{Text: "cabinet.menu.profile", Href: "/profile"}}}
}
