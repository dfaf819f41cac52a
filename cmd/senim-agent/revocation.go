package main

import (
	"fmt"
	"strings"

	"senim/internal/revocation"
	"senim/internal/trust"
)

// revocationSource makes the source of revocation status from the flags; nil when none was given, and
// then every status is "could not check".
func revocationSource(responders []string, lists string) (trust.Revocation, error) {
	if len(responders) == 0 && lists == "" {
		return nil, nil
	}
	config := revocation.Config{Responders: map[string]string{}, Dir: lists}
	for _, r := range responders {
		ski, url, ok := strings.Cut(r, "=")
		if !ok || ski == "" || url == "" {
			return nil, fmt.Errorf("--ocsp %s: SKI=URL is expected", r)
		}
		config.Responders[strings.ToLower(ski)] = url
	}
	return revocation.New(config), nil
}
