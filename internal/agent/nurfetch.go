package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"senim/internal/ask"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// download fetches the document a page names by its address, after the person has seen the address. It
// must be the page's own host over https: the agent reaches nothing that the page itself could not.
func (t *talk) download(ctx context.Context, address string, window lang.Tag) (*spooled, error) {
	u, err := ownURL(address, t.site)
	if err != nil {
		t.tell(ctx, "NURSign binary", window, never(window.Text("agent.refused.url"), address))
		return nil, nurError(ncalayer.NURURL)
	}
	if out := t.agent.show(ctx, t.site, window, fetching{u.String()}); !out.done {
		return nil, nurError(ncalayer.NURCanceled)
	}
	content, err := t.agent.fetch(ctx, u)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, nurError(ncalayer.NURTooBig)
	case errors.Is(err, ask.ErrPrivate):
		return nil, nurError(ncalayer.NURURL)
	case err != nil:
		return nil, nurError(ncalayer.NUROffline)
	}
	return content, nil
}

// ownURL reads an address on the page's own host, port included.
func ownURL(address string, s site) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > 2048 {
		return nil, errors.New("not an address")
	}
	own, ok := strings.CutPrefix(s.Origin, "https://")
	if !ok || u.Scheme != "https" || u.User != nil || u.Opaque != "" || !strings.EqualFold(u.Host, own) {
		return nil, errors.New("not the page's own address")
	}
	return u, nil
}

// fetch reads a document: no redirect, no proxy, no cookie, a public address only.
func (a *Agent) fetch(ctx context.Context, u *url.URL) (*spooled, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := a.toPages().Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer %d", answer.StatusCode)
	}
	if answer.ContentLength > maxNamed {
		return nil, errTooLarge
	}
	return a.spoolDocument(ctx, answer.Body)
}

// toPages reaches the pages' own hosts.
func (a *Agent) toPages() *http.Client {
	if a.downloader != nil {
		return a.downloader
	}
	return ask.Public()
}

// fetching is the consent to fetch a document.
type fetching struct{ url string }

func (fetching) kind() string { return "fetch" }
func (fetching) wish() wish   { return wish{} }

func (t fetching) show(w *window, v *View) {
	v.Facts = []Pair{{w.lang.Text("agent.file.url"), t.url}}
}

func (fetching) decide(context.Context, *window, Decision) (outcome, *Problem) {
	return outcome{done: true}, nil
}
