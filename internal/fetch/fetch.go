// Package fetch opens batches of registry files where their source lays them: in a folder, or at an https address.
//
// [New] makes the [registry.Origin] of a place. At an address the manifest is asked for, then its signature and its
// files beside it: of that host alone, over TLS, no redirect followed, each as long as the [Config] allows and none
// silent for longer. What the files are worth is for the importer to check.
package fetch

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/batchfile"
	"senim/internal/registry"
)

// Config bounds what is fetched from an address. The zero value has what is in brackets.
type Config struct {
	// Roots are whom the server's certificate must lead to (those of the system).
	Roots *x509.CertPool
	// Connect is the time to connect (3 s), Silence the longest wait for the next bytes (1 min).
	Connect, Silence time.Duration
	// Manifest bounds the manifest and its signature (1 MiB), File a file (16 GiB), in bytes.
	Manifest, File int64
}

func (c Config) orUsual() Config {
	if c.Connect <= 0 {
		c.Connect = 3 * time.Second
	}
	if c.Silence <= 0 {
		c.Silence = time.Minute
	}
	if c.Manifest <= 0 {
		c.Manifest = 1 << 20
	}
	if c.File <= 0 {
		c.File = 16 << 30
	}
	return c
}

// New makes the origin of a place: an absolute path of a folder, or the https address of a manifest.
func New(place string, c Config) (registry.Origin, error) {
	if filepath.IsAbs(place) {
		return folder(place), nil
	}
	u, err := url.Parse(place)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return nil, errors.New("a place of batches is an absolute path of a folder or an https address")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(place, "?#"):
		return nil, errors.New("the address of batches has neither names, questions nor marks in it")
	case path.Base(u.Path) != batchfile.ManifestName:
		return nil, fmt.Errorf("the address of batches ends with %s", batchfile.ManifestName)
	}
	return newSite(u, c.orUsual()), nil
}
