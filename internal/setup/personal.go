package setup

import (
	"context"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"senim/internal/agent"
)

// stand is how a store stands that holds these authorities of ours: one, and the right one, is to be there.
func (m *Machine) stand(found []*x509.Certificate) State {
	if len(found) == 0 {
		return Absent
	}
	cert, err := m.authority()
	if err != nil || len(found) > 1 || !found[0].Equal(cert) { // also one whose file is gone or has ended
		return Old
	}
	return Present
}

// others leaves out the authority that is to stay.
func others(list []*x509.Certificate, stays *x509.Certificate) []*x509.Certificate {
	return slices.DeleteFunc(list, stays.Equal)
}

// rootStore is the person's store of roots on Windows, which Chrome, Edge and Firefox read. Windows
// itself asks the person when a root is added or taken away.
type rootStore struct{ m *Machine }

func (s rootStore) Kind() string  { return "windows" }
func (s rootStore) Where() string { return `HKCU Root` }

// found lists our authorities in the store, those of earlier installations and of other names of the machine too.
func (s rootStore) found() (list []*x509.Certificate, err error) {
	all, err := s.m.Roots.List()
	if err != nil {
		return nil, err
	}
	for _, der := range all {
		if c, err := x509.ParseCertificate(der); err == nil && ours(c) { // among others' there are some that Go cannot read
			list = append(list, c)
		}
	}
	return list, nil
}

func (s rootStore) State(context.Context) (State, error) {
	list, err := s.found()
	if err != nil {
		return Unknown, err
	}
	return s.m.stand(list), nil
}

// Put also takes older authorities of ours away: each could vouch for this machine.
func (s rootStore) Put(context.Context) error {
	cert, err := s.m.authority()
	if err != nil {
		return err
	}
	if err := s.m.Roots.Add(cert.Raw); err != nil {
		return err
	}
	list, err := s.found()
	if err != nil {
		return err
	}
	return s.delete(others(list, cert))
}

func (s rootStore) Take(context.Context) error {
	list, err := s.found()
	if err != nil {
		return err
	}
	return s.delete(list)
}

func (s rootStore) delete(list []*x509.Certificate) error {
	for _, c := range list {
		if err := s.m.Roots.Delete(c.Raw); err != nil {
			return err
		}
	}
	return nil
}

// keychain is the person's keychain on macOS, which Safari, Chrome and Firefox read. macOS itself asks
// for the person's password.
type keychain struct{ m *Machine }

func (k keychain) Kind() string { return "keychain" }
func (k keychain) Where() string {
	return filepath.Join(k.m.Home, "Library/Keychains/login.keychain-db")
}

// found lists our authorities in the keychain, those of earlier installations and of other names of the machine too.
func (k keychain) found(ctx context.Context) ([]*x509.Certificate, error) {
	out, err := k.m.Run(ctx, "security", "find-certificate", "-a", "-p", k.Where())
	if err != nil && !strings.Contains(string(out), "could not be found") { // the tool's way to say that there is none
		return nil, err
	}
	list, _ := oursIn(out)
	return list, nil
}

func (k keychain) State(ctx context.Context) (State, error) {
	list, err := k.found(ctx)
	if err != nil {
		return Unknown, err
	}
	state := k.m.stand(list)
	if state != Present {
		return state, nil
	}
	path := filepath.Join(k.m.Data, agent.AuthorityFile)
	if _, err := k.m.Run(ctx, "security", "verify-cert", "-c", path, "-p", "ssl", "-l", "-L"); err != nil {
		return Old, nil //nolint:nilerr // it is there and not trusted: as good as another one
	}
	return Present, nil
}

// Put also takes older authorities of ours away: each could vouch for this machine.
func (k keychain) Put(ctx context.Context) error {
	cert, err := k.m.authority()
	if err != nil {
		return err
	}
	if _, err := k.m.Run(ctx, "security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-k", k.Where(), filepath.Join(k.m.Data, agent.AuthorityFile)); err != nil {
		return err
	}
	list, err := k.found(ctx)
	if err != nil {
		return err
	}
	return k.delete(ctx, others(list, cert))
}

func (k keychain) Take(ctx context.Context) error {
	list, err := k.found(ctx)
	if err != nil {
		return err
	}
	return k.delete(ctx, list)
}

func (k keychain) delete(ctx context.Context, list []*x509.Certificate) error {
	for _, c := range list {
		if _, err := k.m.Run(ctx, "security", "delete-certificate", "-t", "-Z", strings.ToUpper(thumbprint(c.Raw)), k.Where()); err != nil {
			return fmt.Errorf("take out of the keychain: %w", err)
		}
	}
	return nil
}
