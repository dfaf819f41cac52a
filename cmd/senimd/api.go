package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"senim/internal/access"
	"senim/internal/caapi"
)

// apiConfig is the listener of the API for other programs; off when its address is empty.
type apiConfig struct {
	listen
	cert, key, clients string
}

// check refuses what would send keys over a network in the open.
func (c apiConfig) check() error {
	if c.address == "" {
		if c.cert+c.key+c.clients != "" {
			return errors.New("-ca.api.tls-cert, -ca.api.tls-key and -ca.api.client-ca go with -ca.api")
		}
		return nil
	}
	if (c.cert == "") != (c.key == "") {
		return errors.New("-ca.api.tls-cert and -ca.api.tls-key go together")
	}
	if c.cert != "" {
		return nil
	}
	if c.clients != "" {
		return errors.New("-ca.api.client-ca: without -ca.api.tls-cert no client can show a certificate")
	}
	host, _, err := net.SplitHostPort(c.address)
	if err != nil {
		return fmt.Errorf("-ca.api: %w", err)
	}
	if at, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !at.IsLoopback()) {
		return fmt.Errorf("-ca.api %s: without -ca.api.tls-cert and -ca.api.tls-key the API listens on this machine only (127.0.0.1:PORT)", c.address)
	}
	return nil
}

// open binds the address. A client's certificate is asked for and need not be of any authority: what
// counts is the fingerprint it was registered with; -ca.api.client-ca adds that it must be of these.
func (c *apiConfig) open(ctx context.Context) (net.Listener, error) {
	var settings *tls.Config
	if c.cert != "" {
		pair, err := readPair(c.cert, c.key)
		if err != nil {
			return nil, fmt.Errorf("-ca.api.tls-cert: %w", err)
		}
		settings = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}
		if c.clients != "" {
			if settings.ClientCAs, err = readPool(c.clients); err != nil {
				return nil, fmt.Errorf("-ca.api.client-ca: %w", err)
			}
			settings.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	at, err := c.listen.open(ctx)
	if err != nil || settings == nil {
		return at, err
	}
	return tls.NewListener(at, settings), nil
}

// openAPI makes the API over the authority of this process.
func (s *server) openAPI(context.Context) (err error) {
	if s.gate, err = access.New(access.Config{Store: s.store.Access(), Now: s.now}); err != nil {
		return err
	}
	if s.c.api.address == "" {
		return nil
	}
	api, err := caapi.New(caapi.Config{Authority: s.ca, Gate: s.gate, Now: s.now, Log: s.log, Proxies: s.c.proxies})
	if err != nil {
		return err
	}
	s.serveOn("ca", api)
	return nil
}
