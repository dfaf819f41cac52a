package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// maxDownload bounds a document fetched for a page; what CMS can hold is less.
const maxDownload = 64 << 20

var errPrivate = errors.New("not an address of the internet")

// download fetches the document a page names by its address, after the person has seen the address. It
// must be the page's own host over https: the agent reaches nothing that the page itself could not.
func (t *talk) download(ctx context.Context, address string, window lang.Tag) ([]byte, error) {
	u, err := ownURL(address, t.site)
	if err != nil {
		t.agent.show(ctx, t.site, window, refused{window.Text("agent.refused.url", "url", address)})
		return nil, nurError(ncalayer.NURURL)
	}
	if out := t.agent.show(ctx, t.site, window, fetching{u.String()}); !out.done {
		return nil, nurError(ncalayer.NURCanceled)
	}
	content, err := t.agent.fetch(ctx, u)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, nurError(ncalayer.NURTooBig)
	case errors.Is(err, errPrivate):
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

// outside refuses addresses of this machine and of networks that are not the internet's; it looks at
// the address that is really dialled, whatever the name says.
func outside(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr().Unmap()) {
		return errPrivate
	}
	return nil
}

func public(ip netip.Addr) bool {
	for _, no := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32", "2002::/16",
	} {
		if netip.MustParsePrefix(no).Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// fetch reads a document: no redirect, no proxy, no cookie, a public address only.
func (a *Agent) fetch(ctx context.Context, u *url.URL) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
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
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxDownload+1))
	if err == nil && len(content) > maxDownload {
		err = errTooLarge
	}
	return content, err
}

// toPages reaches the pages' own hosts.
func (a *Agent) toPages() *http.Client {
	if a.downloader != nil {
		return a.downloader
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second, Control: outside}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 15 * time.Second, DisableKeepAlives: true},
		CheckRedirect: noRedirect,
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

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
