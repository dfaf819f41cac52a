package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"senim/internal/keystore"
	"senim/internal/trust"
	"senim/pki"
)

// catalogue remembers the certificates (public data) of key files that were opened once, by the
// digest of the file. Never passwords, never private keys.
type catalogue struct {
	path string // "" keeps in memory only

	mu    sync.Mutex
	certs map[string]*pki.Certificate // under mu, by keystore.File.ID
	state map[[32]byte]status         // under mu, by fingerprint
}

// status is a revocation status with the moment it was asked.
type status struct {
	trust.Status
	asked time.Time
}

func openCatalogue(path string) (*catalogue, error) {
	c := &catalogue{path: path, certs: map[string]*pki.Certificate{}, state: map[[32]byte]status{}}
	if path == "" {
		return c, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of certificates: %w", err)
	}
	raw := map[string][]byte{}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("read the list of certificates: %w", err)
	}
	for id, der := range raw {
		if cert, err := pki.ParseCertificate(der); err == nil {
			c.certs[id] = cert
		}
	}
	return c, nil
}

func (c *catalogue) find(id string) *pki.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.certs[id]
}

// learn remembers a certificate. That the list cannot be written is no reason not to sign.
func (c *catalogue) learn(id string, cert *pki.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.certs[id] != nil {
		return
	}
	c.certs[id] = cert
	if c.path == "" {
		return
	}
	raw := map[string][]byte{}
	for id, cert := range c.certs {
		raw[id] = cert.Raw
	}
	if b, err := json.Marshal(raw); err == nil {
		_ = keystore.Replace(c.path, b)
	}
}

// checked gives the last status of a certificate; ok false when it was never asked.
func (c *catalogue) checked(cert *pki.Certificate) (status, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.state[cert.Fingerprint()]
	return s, ok
}

func (c *catalogue) note(cert *pki.Certificate, s status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state[cert.Fingerprint()] = s
}
