package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"senim/internal/ask"
	"senim/internal/keystore"
	"senim/internal/trustdir"
	"senim/pki"
)

// maxAuthority bounds the file of an authority.
const maxAuthority = 32 << 10

// Errors of adding an authority.
var (
	errNoAuthority = errors.New("not the certificate of an authority")
	errNotNational = errors.New("not the certificate that was expected")
)

// trusted is which authorities are known: those the agent was started with, and those the person added, which lie
// in a folder of the data folder and hold from the moment they lie there.
type trusted struct {
	given *pki.Pool
	dir   string
	log   *slog.Logger

	mu   sync.Mutex
	seen time.Time          // under mu: of the folder as it was read
	own  []*pki.Certificate // under mu
	all  *pki.Pool          // under mu: nil before the first reading
}

// TrustFolder is where the authorities lie that a person added, in the agent's data folder.
func TrustFolder(data string) string { return filepath.Join(data, "trust") }

// pool is what paths are built from now. Own authorities that cannot be read are not trusted.
func (t *trusted) pool() *pki.Pool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	return t.all
}

// authorities lists what is known: given to the agent, and added by the person.
func (t *trusted) authorities() (given, own []*pki.Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	return t.given.Certificates(), t.own
}

// look reads the folder when it is another than it was; called under mu.
func (t *trusted) look() {
	var at time.Time
	info, err := os.Stat(t.dir)
	if err == nil {
		at = info.ModTime()
	}
	if t.all != nil && at.Equal(t.seen) {
		return
	}
	t.seen, t.own, t.all = at, nil, t.given.With()
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	found, err := trustdir.Load(t.dir)
	if err != nil {
		t.log.Error("the authorities that were added cannot be read, and are not trusted", "err", err)
		return
	}
	t.own = found.Authorities
	found.AddTo(t.all)
}

// changed has the folder read again.
func (t *trusted) changed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = nil
}

// ReadAuthority reads the certificate of one authority, DER, PEM or base64. It refuses any other certificate, and a root
// that did not sign itself.
func ReadAuthority(file []byte) (*pki.Certificate, error) {
	if len(file) > maxAuthority {
		return nil, errNoAuthority
	}
	blocks, err := pki.Decode(file)
	if err != nil || len(blocks) != 1 {
		return nil, errNoAuthority
	}
	c, err := pki.ParseCertificate(blocks[0].DER)
	if err != nil || trustdir.New().Add(c) != nil {
		return nil, errNoAuthority
	}
	return c, nil
}

// AddAuthority makes an authority known to the agent of a data folder, at once and until it is taken away.
func AddAuthority(data string, c *pki.Certificate) error {
	dir := TrustFolder(data)
	if err := keystore.MakeFolder(dir); err != nil {
		return fmt.Errorf("add an authority: %w", err)
	}
	err := keystore.Create(filepath.Join(dir, Fingerprint(c)+".cer"), c.Raw, 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("add an authority: %w", err)
	}
	return nil
}

// RemoveAuthority takes an authority away that a person added, by its SHA-256 in lower hex.
func RemoveAuthority(data, sum string) error {
	if sum != filepath.Base(sum) {
		return fs.ErrNotExist
	}
	return os.Remove(filepath.Join(TrustFolder(data), sum+".cer"))
}

// AddNational fetches the authorities of the national CA and makes them known: each is compared with the digest the CA
// publishes, so it does not matter who is between. All or none.
func AddNational(ctx context.Context, data string) error { return addNational(ctx, data, ask.Public()) }

func addNational(ctx context.Context, data string, client *http.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	found := make([]*pki.Certificate, 0, len(national))
	for _, n := range national {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.address, nil)
		if err != nil {
			return fmt.Errorf("fetch an authority: %w", err)
		}
		file, err := ask.Do(client, r, maxAuthority)
		if err != nil {
			return fmt.Errorf("fetch an authority: %s: %w", n.address, err)
		}
		c, err := ReadAuthority(file)
		if err == nil && Fingerprint(c) != n.sum {
			err = errNotNational
		}
		if err != nil {
			return fmt.Errorf("fetch an authority: %s: %w", n.address, err)
		}
		found = append(found, c)
	}
	for _, c := range found {
		if err := AddAuthority(data, c); err != nil {
			return err
		}
	}
	return nil
}
