package agent

import (
	"slices"

	"senim/internal/keystore"
)

// onTokens lists the keys of the tokens that are plugged in.
func (a *Agent) onTokens() []keystore.File {
	if len(a.config.Tokens) == 0 {
		return nil
	}
	files, _, err := keystore.ScanTokens(a.config.Tokens)
	if err != nil {
		a.log.Warn("a driver of tokens failed", "err", err)
	}
	return files
}

// plugged names the token storages that are there now.
func (a *Agent) plugged() []string {
	if len(a.config.Tokens) == 0 {
		return []string{}
	}
	_, names, err := keystore.ScanTokens(a.config.Tokens)
	if err != nil {
		a.log.Warn("a driver of tokens failed", "err", err)
	}
	slices.Sort(names)
	return slices.Concat([]string{}, slices.Compact(names))
}
