package setup

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"syscall"
	"time"

	"senim/internal/ncalayer"
	"senim/internal/ncalayer/client"
)

// Answer is who answers at the agent's address.
type Answer struct {
	State   string // free, ours, other (speaks the protocol), refuses (ours, to us), strange
	Version string // of ours
}

// Probe asks as a native program would, and waits no longer than three seconds for each answer.
func Probe(ctx context.Context, address string) Answer {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, refusedOnWindows):
		return Answer{State: "free"}
	case err != nil:
		return Answer{State: "strange"} // it listens and takes no call
	}
	_ = c.Close()
	version, err := versionAt(ctx, address)
	switch {
	case errors.Is(err, client.ErrRefused):
		return Answer{State: "refuses"}
	case err != nil:
		return Answer{State: "strange"} // also one that speaks TLS only, as NCALayer may
	case version == "":
		return Answer{State: "other"}
	}
	return Answer{"ours", version}
}

func versionAt(ctx context.Context, address string) (string, error) {
	c, err := client.Dial(ctx, address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Version(ctx)
}

// refusedOnWindows is WSAECONNREFUSED.
const refusedOnWindows = syscall.Errno(10061)

// Show asks the running agent to open its own page.
func Show(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	reply, err := c.Call(ctx, ncalayer.ModuleAccessory, "showSettings", nil)
	if err != nil {
		return err
	}
	var r struct {
		Success bool `json:"success"`
	}
	if err := json.Unmarshal(reply, &r); err != nil || !r.Success {
		return errors.New("the running agent has no page of its own")
	}
	return nil
}

// Served looks whether the agent's TLS certificate is one of the machine's authority, as a browser
// that trusts it would.
func (m *Machine) Served(ctx context.Context, address string) error {
	cert, err := m.authority()
	if err != nil {
		return err
	}
	return shows(ctx, address, cert, time.Now())
}

// Works tells whether the agent at an address works with this machine's data folder: it has the key of a certificate that the
// authority there signed, be that one's time over or not.
func (m *Machine) Works(ctx context.Context, address string) bool {
	authority, err := m.readAuthority()
	if err != nil {
		return false
	}
	at := time.Now()
	if at.After(authority.NotAfter) {
		at = authority.NotAfter
	}
	return shows(ctx, address, authority, at) == nil
}

// shows looks whether who answers at an address has the key of a certificate that the authority signed and that is good at that time.
func shows(ctx context.Context, address string, authority *x509.Certificate, at time.Time) error {
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	d := tls.Dialer{Config: &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12, Time: func() time.Time { return at }}}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}
