package setup

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"time"

	"senim/internal/agent"
)

// nickname is the authority's name in stores that keep certificates by names; brand begins it and every other one that
// ours have had.
const nickname, brand = "Senim agent on this machine", "Senim"

// authority reads the machine's authority and refuses one that could vouch for anything but
// loopback: the file may be written by whoever can write the data folder, and an administrator's
// rights are about to put it among the machine's roots.
func (m *Machine) authority() (*x509.Certificate, error) {
	cert, err := m.readAuthority()
	if err != nil {
		return nil, err
	}
	if err := harmless(cert); err != nil {
		return nil, fmt.Errorf("read the machine's authority: %w", err)
	}
	return cert, nil
}

// readAuthority reads the machine's authority, whatever it could vouch for.
func (m *Machine) readAuthority() (*x509.Certificate, error) {
	b, err := readLimited(filepath.Join(m.Data, agent.AuthorityFile), 64<<10)
	if err != nil {
		return nil, fmt.Errorf("read the machine's authority: %w", err)
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		return nil, errors.New("read the machine's authority: not one certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the machine's authority: %w", err)
	}
	return cert, nil
}

// pem is the authority as it is put into files.
func (m *Machine) pem() ([]byte, error) {
	cert, err := m.authority()
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), nil
}

var (
	errBroad   = errors.New("it could vouch for more than this machine, and is not put anywhere")
	errExpired = errors.New("it has expired")
)

// harmless says whether a certificate may sign for loopback names only, and has not ended.
func harmless(c *x509.Certificate) error {
	switch {
	case !confined(c):
		return errBroad
	case time.Now().After(c.NotAfter):
		return errExpired
	}
	return nil
}

// confined tells whether a certificate can vouch for this machine alone: critical name constraints, no authority
// under it, servers only.
func confined(c *x509.Certificate) bool {
	ones := func(n *net.IPNet, ip net.IP, bits int) bool {
		got, of := n.Mask.Size()
		return n.IP.Equal(ip) && got == bits && of == bits
	}
	switch {
	case !c.IsCA || !c.BasicConstraintsValid || !c.MaxPathLenZero || c.MaxPathLen != 0,
		!c.PermittedDNSDomainsCritical, !slices.Equal(c.PermittedDNSDomains, []string{"localhost"}),
		len(c.PermittedIPRanges) != 2, len(c.UnhandledCriticalExtensions) > 0,
		!slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) || len(c.UnknownExtKeyUsage) > 0:
		return false
	}
	return ones(c.PermittedIPRanges[0], net.IPv4(127, 0, 0, 1), 32) && ones(c.PermittedIPRanges[1], net.IPv6loopback, 128)
}

// thumbprint names a certificate as Windows and macOS do.
func thumbprint(der []byte) string {
	sum := sha1.Sum(der)
	return hex.EncodeToString(sum[:])
}
