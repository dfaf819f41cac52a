package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/mgov"
	"senim/internal/qr"

	code "rsc.io/qr"
)

// phoneRequest reads the request of the address; what is another browser's is not there, and one of a session that
// was closed says why.
func (r *Request) phoneRequest() (qr.Request, error) {
	q, err := r.shell.c.Phone.Own(r.Context(), r.sid, r.PathValue("handle"))
	if qr.IsNotFound(err) {
		return q, r.closedSession(ErrNotFound)
	}
	return q, err
}

// phonePage shows the code and waits, or says what became of it.
func (s *Shell) phonePage(w http.ResponseWriter, r *Request) error {
	q, err := r.phoneRequest()
	if err != nil {
		return err
	}
	switch {
	case q.Over(r.Now()):
		return r.OK(w, phoneOver(r, q))
	case q.State == qr.Signed:
		return r.OK(w, phoneHere(r, q))
	case q.State != qr.Waiting:
		return r.OK(w, phoneClosed(r, q))
	}
	return r.OK(w, phoneWaits(r, q, s.c.Phone.Address(q), r.URL.Query().Get("yet") == "no"))
}

// phoneCode draws the code.
func (s *Shell) phoneCode(w http.ResponseWriter, r *Request) error {
	q, err := r.phoneRequest()
	if err == nil && (q.State != qr.Waiting || q.Over(r.Now())) {
		err = ErrNotFound
	}
	if err != nil {
		return err
	}
	drawn, err := drawCode(mgov.Text(s.c.Phone.Address(q)))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(drawn) // the reader went away: nothing to do
	return nil
}

// quiet is the white border that scanners need, in modules.
const quiet = 4

func drawCode(text string) ([]byte, error) {
	c, err := code.Encode(text, code.M)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	side := c.Size + 2*quiet
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, side, side, side, side)
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String()), nil
}

// phoneAgain makes another code for the same act.
func (s *Shell) phoneAgain(_ http.ResponseWriter, r *Request) error {
	q, err := r.phoneRequest()
	if err != nil {
		return err
	}
	if !q.Over(r.Now()) {
		return r.Redirect(phonePath + "/" + q.Handle)
	}
	return r.showCode(q.Ask)
}

// phoneCancelled ends the waiting and goes back to the page.
func (s *Shell) phoneCancelled(_ http.ResponseWriter, r *Request) error {
	q, err := r.phoneRequest()
	if err != nil {
		return err
	}
	if err := s.c.Phone.Cancel(r.Context(), r.sid, q.Handle); err != nil {
		return RefusalOf(err, phonePath+"/"+q.Handle)
	}
	return r.Redirect(q.Ask.Back)
}

const (
	// lookEvery is how often a waiting page's stream looks at the request, which any node may have changed.
	lookEvery = time.Second
	// streamFor ends a stream before the server's patience with open answers does; the browser comes again.
	streamFor = 8 * time.Second
)

// phoneEvents tells the waiting page what became of its request: "signed", or "over" for everything else, also a
// session that was closed.
func (s *Shell) phoneEvents(w http.ResponseWriter, r *Request) error {
	if _, err := r.phoneRequest(); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies would keep it back
	out, place := http.NewResponseController(w), r.streamOf()
	if place == nil {
		_, _ = w.Write([]byte("retry: 10000\n\n")) // the reader went away: nothing to do
		return nil
	}
	defer s.streams.end(place)
	if _, err := w.Write([]byte("retry: 500\n\n")); err != nil || out.Flush() != nil {
		return nil //nolint:nilerr // the reader went away: nothing to do
	}
	tick, end := time.NewTicker(lookEvery), time.NewTimer(streamFor)
	defer tick.Stop()
	defer end.Stop()
	for {
		q, err := r.phoneRequest()
		closed := auth.IsNotFound(s.c.Auth.Alive(r.Context(), r.sid))
		if err != nil {
			return nil //nolint:nilerr // the answer has begun; the browser comes again and is told
		}
		if q.State != qr.Waiting || q.Over(r.Now()) || closed {
			what := "over"
			if q.State == qr.Signed && !closed {
				what = "signed"
			}
			_, _ = w.Write([]byte("event: " + what + "\ndata:\n\n")) // as above
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-end.C:
			return nil
		case <-place.over:
			_, _ = w.Write([]byte("retry: 10000\n\n")) // as above: a page nobody looks at gives way to the newest
			return nil
		case <-tick.C:
		}
	}
}

// left writes a time as minutes and seconds.
func left(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d/time.Minute), int(d%time.Minute/time.Second))
}

func phoneWhat(r *Request, q qr.Request) string { return q.Ask.Words(r.Lang()) }
