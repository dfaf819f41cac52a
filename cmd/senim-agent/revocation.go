package main

import (
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
	return revocation.New(revocation.Config{Responders: where, Dir: lists, Inside: ask.Public()}), nil
}

// addresses reads flags of the form SKI=URL: what is asked for certificates of an issuer.
func addresses(flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, r := range list {
		ski, url, ok := strings.Cut(r, "=")
		if !ok || ski == "" || url == "" {
			return nil, refuse("command.service", "flag", flag, "value", r)
		}
		out[strings.ToLower(ski)] = url
	}
	return out, nil
}
