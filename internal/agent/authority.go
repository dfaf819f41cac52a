package agent

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"senim/internal/keystore"
)

// Lifetimes of the machine's own TLS authority and of the certificate it gives us.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 397 * 24 * time.Hour // browsers refuse more than 398 days
	leafRenew     = 30 * 24 * time.Hour
	// AuthorityRenew is how long before its end an authority is made anew, by [RenewAuthority].
	AuthorityRenew = 60 * 24 * time.Hour
)

// authority is this machine's own TLS authority. It can sign for nothing but loopback: the limit is
// in its certificate and critical, so trusting it opens nothing else.
type authority struct {
	dir string
	now func() time.Time

	mu   sync.Mutex
	cert *x509.Certificate // under mu
	key  *ecdsa.PrivateKey // under mu
	leaf *tls.Certificate  // under mu
	file os.FileInfo       // under mu: of the key, as it was read
}

// AuthorityFile is the name of the authority's certificate (PEM) in the data folder, for whoever is to trust it.
const AuthorityFile = "authority.crt"

// AuthorityKeyFile is the name of its key there, and its certificate after it: both are written in one step. Earlier builds wrote the key
// alone.
const AuthorityKeyFile = "authority.key"

// openAuthority reads the machine's authority, and makes it when it is not there. One that is broken, or whose key is lost, is kept
// beside, and another is made: browsers do not know that one yet, which the doctor says. One that cannot be read
// now stays as it is, and is an error.
func openAuthority(dir string, now func() time.Time) (*authority, error) {
	a, err := readAuthority(dir, now)
	switch {
	case err == nil:
		if err := a.show(); err != nil {
			return nil, fmt.Errorf("write the authority's certificate: %w", err)
		}
		return a, nil
	case errors.Is(err, errBrokenAuthority):
		for _, name := range []string{AuthorityFile, AuthorityKeyFile} {
			if err := keystore.SetAside(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, fmt.Errorf("read the machine's authority: %w", err)
			}
		}
	case !errors.Is(err, errMade):
		return nil, fmt.Errorf("read the machine's authority: %w", err)
	}
	if err := makeAuthority(dir, now()); err != nil {
		return nil, fmt.Errorf("make the machine's authority: %w", err)
	}
	return readAuthority(dir, now)
}

var (
	errMade            = errors.New("no authority was made")
	errBrokenAuthority = errors.New("broken")
)

// readAuthority changes nothing. Errors beside those two say nothing about what is there.
func readAuthority(dir string, now func() time.Time) (*authority, error) {
	keyPath := filepath.Join(dir, AuthorityKeyFile)
	file, err := os.Stat(keyPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	whole, keyErr := keystore.ReadFile(keyPath)
	if toldNothing(keyErr) {
		return nil, keyErr
	}
	cert := whole
	if !bytes.Contains(whole, []byte("-----BEGIN CERTIFICATE-----")) { // of an earlier build, or broken
		var err error
		cert, err = keystore.ReadFile(filepath.Join(dir, AuthorityFile))
		switch {
		case toldNothing(err):
			return nil, err
		case errors.Is(err, os.ErrNotExist): // its key was written first: a kill may have left that
			return nil, errMade
		}
	}
	pair, err := tls.X509KeyPair(cert, whole)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBrokenAuthority, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: not an ECDSA key", errBrokenAuthority)
	}
	return &authority{dir: dir, cert: pair.Leaf, key: key, now: now, file: file}, nil
}

// toldNothing tells of an error of reading a file whether it says nothing about what is there.
func toldNothing(err error) bool {
	return err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, keystore.ErrNotFile)
}

// show writes the certificate for those who are to trust it, where it is lost, broken or an earlier one.
func (a *authority) show() error {
	path, text := filepath.Join(a.dir, AuthorityFile), certificatePEM(a.cert.Raw)
	b, err := keystore.ReadFile(path)
	switch {
	case toldNothing(err):
		return err
	case bytes.Equal(b, text):
		return nil
	case errors.Is(err, keystore.ErrNotFile):
		if err := keystore.SetAside(path); err != nil {
			return err
		}
	}
	return keystore.Replace(path, text)
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func serial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}

// AuthorityPrefix begins the name of every authority that an agent makes; the machine's name follows. Installing
// knows by it those of earlier times.
const AuthorityPrefix = "Senim agent on "

// AuthorityName is the name of the authority that an agent makes on this machine.
func AuthorityName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return AuthorityPrefix + host
}

func makeAuthority(dir string, now time.Time) error {
	certPath, keyPath := filepath.Join(dir, AuthorityFile), filepath.Join(dir, AuthorityKeyFile)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	number, err := serial()
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: AuthorityName()},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 1).To4(), Mask: net.CIDRMask(32, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	// In one step: nobody reads the key of one authority and the certificate of another.
	if err := keystore.Replace(keyPath, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), certificatePEM(der)...)); err != nil {
		return err
	}
	return keystore.Replace(certPath, certificatePEM(der))
}

func (a *authority) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.certificate() },
	}
}

// certificate gives the present leaf, a new one when less than thirty days are left. It never outlives its authority.
// An authority that was made anew meanwhile, by another process, is taken at once.
func (a *authority) certificate() (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.follow()
	now, end := a.now(), a.cert.NotAfter
	if a.leaf != nil && (now.Before(a.leaf.Leaf.NotAfter.Add(-leafRenew)) || a.leaf.Leaf.NotAfter.Equal(end)) {
		return a.leaf, nil
	}
	if until := now.Add(leafLife - time.Hour); until.Before(end) {
		end = until
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	number, err := serial()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: "127.0.0.1"},
		NotBefore: now.Add(-time.Hour), NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a.leaf = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return a.leaf, nil
}

// follow reads the authority again when its file is another one; called under mu. One that cannot be read changes nothing.
func (a *authority) follow() {
	file, err := os.Stat(filepath.Join(a.dir, AuthorityKeyFile))
	if err != nil || os.SameFile(file, a.file) && file.ModTime().Equal(a.file.ModTime()) {
		return
	}
	if b, err := readAuthority(a.dir, a.now); err == nil {
		a.cert, a.key, a.file, a.leaf = b.cert, b.key, b.file, nil
	}
}

// RenewAuthority makes the machine's authority anew when less than [AuthorityRenew] is left of it, or nothing. Whoever
// calls it puts the new one into the stores; an agent that runs serves under it from the next connection on.
func RenewAuthority(data string) (renewed bool, err error) { return renewAuthority(data, time.Now) }

func renewAuthority(data string, now func() time.Time) (bool, error) {
	a, err := openAuthority(data, now)
	if err != nil || now().Before(a.cert.NotAfter.Add(-AuthorityRenew)) {
		return false, err
	}
	if err := makeAuthority(data, now()); err != nil {
		return false, fmt.Errorf("make the machine's authority anew: %w", err)
	}
	return true, nil
}

// EnsureAuthority makes the machine's authority in the data folder when it is not there yet, and
// gives the path of its certificate.
func EnsureAuthority(data string) (path string, err error) {
	if err := keystore.MakeFolder(data); err != nil {
		return "", fmt.Errorf("make the machine's authority: %w", err)
	}
	if _, err := openAuthority(data, time.Now); err != nil {
		return "", err
	}
	return filepath.Join(data, AuthorityFile), nil
}
