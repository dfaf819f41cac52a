package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"senim/internal/ask"
	"senim/internal/batchfile"
	"senim/internal/registry"
)

// site is a manifest's address.
type site struct {
	address *url.URL
	c       Config
	http    *http.Client
}

func newSite(u *url.URL, c Config) *site {
	client := ask.Client()
	client.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: c.Connect}).DialContext,
		TLSHandshakeTimeout: c.Connect, ResponseHeaderTimeout: c.Silence, MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute,
		DisableCompression: true, MaxConnsPerHost: 2, TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12}}
	return &site{u, c, client}
}

// Open asks for the manifest and its signature.
func (s *site) Open(ctx context.Context) (registry.Offer, error) {
	o := &offer{s: s, ctx: ctx, small: map[string][]byte{}}
	raw, err := o.get(batchfile.ManifestName)
	if err != nil {
		return nil, fmt.Errorf("the manifest at its address: %w", err)
	}
	o.small[batchfile.ManifestName] = raw
	if _, signature, err := batchfile.ParseManifest(raw); err == nil && signature != "" {
		if o.small[signature], err = o.get(signature); err != nil {
			return nil, fmt.Errorf("the signature beside the manifest: %w", hidden(err))
		}
	}
	return o, nil
}

// offer is the batch at the address, as it was when the manifest was asked for.
type offer struct {
	s     *site
	ctx   context.Context //nolint:containedctx // fs.FS has none; the offer lives as long as one try
	small map[string][]byte

	mu  sync.Mutex
	err error // under mu
}

// Err is what broke off.
func (o *offer) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func (o *offer) note(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	return err
}

// Close lets the connections go.
func (o *offer) Close() error {
	o.s.http.CloseIdleConnections()
	return nil
}

// get reads a small file.
func (o *offer) get(name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(o.ctx, o.s.c.Connect+o.s.c.Silence)
	defer cancel()
	r, err := o.request(ctx, name)
	if err != nil {
		return nil, err
	}
	return ask.Do(o.s.http, r, o.s.c.Manifest)
}

func (o *offer) request(ctx context.Context, name string) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, o.s.address.ResolveReference(&url.URL{Path: name}).String(), nil)
}

// Open opens a file: what is small is here already, others begin to come. Names that lead elsewhere are none.
func (o *offer) Open(name string) (fs.File, error) {
	if b, ok := o.small[name]; ok {
		return &held{Reader: bytes.NewReader(b)}, nil
	}
	if strings.ContainsAny(name, `/\%`) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	ctx, cancel := context.WithCancel(o.ctx)
	r, err := o.request(ctx, name)
	if err != nil {
		cancel()
		return nil, err
	}
	resp, err := o.s.http.Do(r)
	if err != nil {
		cancel()
		return nil, o.note(fmt.Errorf("%s did not answer: %w", r.URL.Host, unwrapped(err)))
	}
	if resp.StatusCode != http.StatusOK {
		cancel()
		err := fmt.Errorf("%s answers %s", r.URL.Host, resp.Status)
		if resp.StatusCode != http.StatusNotFound { // a file that is not there is the batch's trouble
			err = o.note(err)
		}
		return nil, errors.Join(err, resp.Body.Close())
	}
	return &coming{body: resp.Body, left: o.s.c.File, note: o.note, cancel: cancel, silence: o.s.c.Silence, idle: time.AfterFunc(o.s.c.Silence, cancel)}, nil
}

// unwrapped is an error without the address.
func unwrapped(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
