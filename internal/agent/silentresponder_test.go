package agent

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"senim/internal/revocation"
	"senim/internal/trust"
	"senim/pki"
)

// lately is a source of revocation that is known once the authority is.
type lately struct{ trust.Revocation }

// TestSlowListAfterSilentResponder: a responder that says nothing takes nothing from the list, though that comes slowly: a
// key that is not on it is shown as not revoked, not as one that could not be checked. Meanwhile heartbeats are answered.
func TestSlowListAfterSilentResponder(t *testing.T) {
	t.Parallel()
	source := &lately{}
	b := today(t, func(c *Config) { c.Revocation = source })
	b.key("GOST512_sound.p12", b.authority.Head())
	over := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(func() { close(over); silent.Close() })
	list := b.authority.List(b.authority.Revoked(b.authority.Individual().Certificate, pki.KeyCompromise))
	half, goOn := make(chan struct{}, 1), make(chan struct{})
	slowEnough := sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(slowEnough)
	lists := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // as one of megabytes on a slow line
		_, _ = w.Write(list[:len(list)/2])
		_ = http.NewResponseController(w).Flush()
		select {
		case half <- struct{}{}:
		default:
		}
		<-goOn
		_, _ = w.Write(list[len(list)/2:])
	}))
	t.Cleanup(lists.Close)
	issuer := hex.EncodeToString(b.authority.CA.SubjectKeyID)
	source.Revocation = revocation.New(revocation.Config{Responders: map[string]string{issuer: silent.URL}, Lists: map[string][]string{issuer: {lists.URL}}})

	s := b.dial(page)
	s.send(signRequest)
	h := b.window()
	says := func(name, code string) KeyRow {
		t.Helper()
		unlocked := make(chan struct{})
		go func() { defer close(unlocked); h.unlock(name) }()
		for waiting := true; waiting; {
			begun := time.Now()
			if got := s.ask("--heartbeat--"); got != "--heartbeat--" || time.Since(begun) > time.Second {
				t.Errorf("%s after %v", got, time.Since(begun))
			}
			select {
			case <-unlocked:
				waiting = false
			case <-half: // the list has begun: heartbeats are answered all the same
				for range 3 {
					if got := s.ask("--heartbeat--"); got != "--heartbeat--" {
						t.Errorf("%s while the list is slow", got)
					}
				}
				slowEnough()
			case <-time.After(200 * time.Millisecond):
			}
		}
		until := time.Now().Add(30 * time.Second)
		for {
			row := h.row(name)
			if slices.ContainsFunc(append(row.Reasons, row.Remarks...), func(r Remark) bool { return r.Code == code }) {
				return row
			}
			if time.Now().After(until) {
				t.Fatalf("%s: nobody says %s: %+v %+v", name, code, row.Reasons, row.Remarks)
			}
			time.Sleep(200 * time.Millisecond) //nolint:forbidigo // there is no signal, it is looked at again
			h.look()
		}
	}
	if row := says("GOST512_sound.p12", "not-revoked"); !row.Fits {
		t.Errorf("%+v", row)
	}
	h.decide(Decision{Key: h.row("GOST512_sound.p12").ID})
	result[[]string](t, s.read())
}
