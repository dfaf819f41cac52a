//go:build !pkcs11

package main

import (
	"errors"

	"senim/internal/token"
)

// open says that there is no driver in this build.
func open(token.Config) (token.Driver, error) {
	return nil, errWithout
}

func look(string) ([]token.Plugged, error) { return nil, errWithout }

var errWithout = errors.New("senim-token was built without PKCS #11: build it with CGO_ENABLED=1 and -tags pkcs11")
