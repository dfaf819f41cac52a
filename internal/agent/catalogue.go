package agent

import (
	"errors"
	"log/slog"
	"slices"
	"sort"
	"sync"
	"time"

	"senim/internal/keystore"
	"senim/internal/trust"
	"senim/pki"
)

// catalogue remembers the certificates (public data) of key files that were opened once, by the
// digest of the file, so that moved and copied files are recognised. Never passwords, never private
// keys, never what was signed. It is read when it is first asked: a keychain may ask the person.
type catalogue struct {
	index *index
	log   *slog.Logger

	mu     sync.Mutex
	loaded bool                 // under mu
	known  map[string]*keyEntry // under mu, by keystore.File.ID
	state  map[[32]byte]status  // under mu, by fingerprint
	last   map[string]string    // under mu: the key chosen last, by origin
	opened map[string]bool      // under mu: keys on tokens that were opened once, by keystore.File.ID
}

// keyEntry is one key file opened once.
type keyEntry struct {
	id     string
	cert   *pki.Certificate
	path   string // where it was seen last
	used   time.Time
	listed bool // the file is there now
}

// status is a revocation status with the moment it was asked.
type status struct {
	trust.Status
	asked time.Time
}

func newCatalogue(i *index, log *slog.Logger) *catalogue {
	c := &catalogue{index: i, log: log}
	c.clear()
	return c
}

// reopen has what lies in the index read again.
func (c *catalogue) reopen(i *index) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index, c.loaded = i, false
}

func (c *catalogue) clear() {
	c.known, c.state, c.last, c.opened = map[string]*keyEntry{}, map[[32]byte]status{}, map[string]string{}, map[string]bool{}
}

// lock takes the mutex of a catalogue that is loaded.
func (c *catalogue) lock() {
	c.mu.Lock()
	if c.loaded {
		return
	}
	c.loaded = true
	b, err := c.index.load()
	if err == nil && b != nil {
		err = c.decode(b)
	}
	if err != nil { // it can be learned again: no reason not to sign
		c.log.Warn("the list of certificates is begun anew", "err", err)
		c.clear()
	}
}

// write keeps the catalogue; that it cannot be written is no reason not to sign.
func (c *catalogue) write() {
	if err := c.save(); err != nil {
		c.log.Error("the list of certificates was not written", "err", err)
	}
}

func (c *catalogue) save() error {
	b, err := c.encode(c.index.place() == inFile)
	if err != nil {
		return err
	}
	return c.index.save(b)
}

func (c *catalogue) find(id string) *pki.Certificate {
	c.lock()
	defer c.mu.Unlock()
	if e := c.known[id]; e != nil {
		return e.cert
	}
	return nil
}

// learn remembers the certificate of a file.
func (c *catalogue) learn(f keystore.File, cert *pki.Certificate) {
	c.lock()
	defer c.mu.Unlock()
	e := c.known[f.ID]
	if e != nil && e.path == f.Path {
		return
	}
	if e == nil {
		e = &keyEntry{id: f.ID, cert: cert}
		c.known[f.ID] = e
	}
	e.path = f.Path
	c.write()
}

// learn remembers the certificate of a file that was opened; of a Java key store those of all its keys, which one
// password protects. Of a key on a token, which shows its certificate to anybody, that it was opened.
func (a *Agent) learn(files []keystore.File, f keystore.File, key *keystore.Key) {
	if f.Certificate() != nil {
		a.known.wasOpened(f.ID)
		return
	}
	a.known.learn(f, key.Certificate)
	for _, e := range key.Beside {
		for _, other := range files {
			if other.Path == f.Path && other.Entry == e.Alias {
				a.known.learn(other, e.Certificate)
			}
		}
	}
}

// maxOpened bounds the keys on tokens that are remembered as opened.
const maxOpened = 256

func (c *catalogue) wasOpened(id string) {
	c.lock()
	defer c.mu.Unlock()
	if c.opened[id] || len(c.opened) >= maxOpened {
		return
	}
	c.opened[id] = true
	c.write()
}

// openedOnce tells whether a key was: of a file, that its certificate is known.
func (c *catalogue) openedOnce(id string) bool {
	c.lock()
	defer c.mu.Unlock()
	return c.opened[id] || c.known[id] != nil
}

// forget deletes what is known of a file at once, from the disk too.
func (c *catalogue) forget(id string) error {
	c.lock()
	defer c.mu.Unlock()
	e := c.known[id]
	if e == nil {
		return nil
	}
	delete(c.known, id)
	if !slices.ContainsFunc(c.entries(), func(o keyEntry) bool { return o.cert.Fingerprint() == e.cert.Fingerprint() }) {
		delete(c.state, e.cert.Fingerprint())
	}
	for origin, last := range c.last {
		if last == id {
			delete(c.last, origin)
		}
	}
	return c.erase()
}

// forgetAll deletes everything known.
func (c *catalogue) forgetAll() error {
	c.lock()
	defer c.mu.Unlock()
	c.clear()
	return c.erase()
}

// rewrite puts the catalogue where it belongs now.
func (c *catalogue) rewrite() error {
	c.lock()
	defer c.mu.Unlock()
	return c.erase()
}

// erase writes what is left, and leaves no older copy anywhere. That it failed, the person is told.
func (c *catalogue) erase() error {
	return errors.Join(c.save(), c.index.purge())
}

// chose remembers which key a site was answered with; origin "" remembers only that the key was used.
func (c *catalogue) chose(origin, id string, now time.Time) {
	c.lock()
	defer c.mu.Unlock()
	if e := c.known[id]; e != nil {
		e.used = now
	}
	if origin != "" {
		c.last[origin] = id
	}
	c.write()
}

func (c *catalogue) chosen(origin string) string {
	c.lock()
	defer c.mu.Unlock()
	return c.last[origin]
}

// all lists what is known; files are those that are there now, whose places are noted.
func (c *catalogue) all(files []keystore.File) []keyEntry {
	c.lock()
	defer c.mu.Unlock()
	there := map[string]keystore.File{}
	for _, f := range files {
		there[f.ID] = f
	}
	moved := false
	for id, e := range c.known {
		f, ok := there[id]
		e.listed = ok
		if ok && e.path != f.Path && !slices.Contains(f.Copies, e.path) {
			e.path, moved = f.Path, true
		}
	}
	if moved {
		c.write()
	}
	return c.entries()
}

func (c *catalogue) entries() []keyEntry {
	list := make([]keyEntry, 0, len(c.known))
	for _, e := range c.known {
		list = append(list, *e)
	}
	sort.Slice(list, func(i, j int) bool {
		if a, b := list[i].cert.NotAfter, list[j].cert.NotAfter; !a.Equal(b) {
			return a.Before(b)
		}
		return list[i].id < list[j].id
	})
	return list
}

// checked gives the last status of a certificate; ok false when it was never asked.
func (c *catalogue) checked(cert *pki.Certificate) (status, bool) {
	c.lock()
	defer c.mu.Unlock()
	s, ok := c.state[cert.Fingerprint()]
	return s, ok
}

func (c *catalogue) note(cert *pki.Certificate, s status) {
	c.lock()
	defer c.mu.Unlock()
	c.state[cert.Fingerprint()] = s
	c.write()
}
