package main

import (
	"senim/internal/keyring"
	"senim/internal/token"
)

// tokenConfig says which token; zero is none.
type tokenConfig keyring.Place

// later prepares the token; nil when none is named. One that is not there stops nobody but those who
// want its keys: the authorities with keys in files go on.
func (c tokenConfig) later() (*token.Token, error) {
	if c == (tokenConfig{}) {
		return nil, nil //nolint:nilnil // none is named
	}
	config, err := keyring.Place(c).Config()
	if err != nil {
		return nil, err
	}
	return token.Later(config)
}
