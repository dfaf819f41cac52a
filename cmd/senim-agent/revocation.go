package main

import (
	"encoding/hex"
	"net/url"
	"os"
	"strings"

	"senim/internal/ask"
	"senim/internal/revocation"
	"senim/internal/trust"
)

// revocationSource makes the source of revocation status from the flags. Of issuers that none names, the addresses in
// their certificates are asked, on the internet alone.
func revocationSource(responders []string, lists string) (trust.Revocation, error) {
	where, err := addresses("--ocsp", responders)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(lists); lists != "" && (err != nil || !info.IsDir()) {
		return nil, refuse("command.crl", "path", lists).because(err)
	}
	return revocation.New(revocation.Config{Responders: where, Dir: lists, Inside: ask.Public()}), nil
}

// addresses reads flags of the form SKI=URL: what is asked for certificates of an issuer.
func addresses(flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, r := range list {
		ski, address, _ := strings.Cut(r, "=")
		id, err := hex.DecodeString(ski)
		u, wrong := url.Parse(address)
		if err != nil || len(id) == 0 || wrong != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, refuse("command.service", "flag", flag, "value", r)
		}
		out[hex.EncodeToString(id)] = address
	}
	return out, nil
}
