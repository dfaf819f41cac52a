package agent

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"senim/internal/keystore"
	"senim/internal/trust"
	"senim/pki"
)

// catalogue remembers the certificates (public data) of tokens that were plugged in, and of key files that were opened once, by the
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
	gone   map[string]bool      // under mu: forgotten while the list could not be read
	// dropped are keys on tokens that are plugged in and to be forgotten: they are learned again when the token is plugged in anew.
	dropped map[string]bool // under mu, by keystore.File.ID
	opened  map[string]bool // under mu: keys on tokens that were opened once, by keystore.File.ID
}

// keyEntry is one key file opened once.
type keyEntry struct {
	id     string
	cert   *pki.Certificate
	path   string // where it was seen last
	on     seenOn // the token it was seen on; zero for a file
	used   time.Time
	listed bool // the file is there now
}

// seenOn is the token a key was seen on.
type seenOn struct{ storage, label string }

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
	if c.dropped == nil {
		c.dropped = map[string]bool{}
	}
	c.gone = map[string]bool{}
}

// wake asks the keychain again where it did not open before, as at sign-in before the person opened it. What was learned
// meanwhile goes beside what lies there. True: more is known now.
func (c *catalogue) wake(now bool) bool {
	c.lock()
	index := c.index
	c.mu.Unlock()
	key, ok := index.again(now) // not under mu: a keychain may ask the person
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	index.take(key)
	there := newCatalogue(index, c.log)
	b, err := index.load()
	if err == nil && b != nil {
		err = there.decode(b)
	}
	if err != nil {
		c.log.Warn("the list of certificates is begun anew", "err", err)
		there.clear()
	}
	c.join(there)
	c.write()
	return true
}

// join adds what another catalogue knows and this one does not; called under mu.
func (c *catalogue) join(other *catalogue) {
	for id, e := range other.known {
		if c.known[id] == nil && !c.gone[id] {
			c.known[id] = e
		}
	}
	for print, s := range other.state {
		if own, ok := c.state[print]; !ok || s.asked.After(own.asked) {
			c.state[print] = s
		}
	}
	for origin, id := range other.last {
		if c.last[origin] == "" && c.known[id] != nil {
			c.last[origin] = id
		}
	}
	maps.Copy(c.opened, other.opened)
	c.gone = map[string]bool{}
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

// learnTokens remembers the certificates on the tokens that are plugged in; files are all of their keys.
func (c *catalogue) learnTokens(files []keystore.File) {
	c.lock()
	defer c.mu.Unlock()
	there, news := map[string]bool{}, false
	for _, f := range files {
		there[f.ID] = true
		if c.known[f.ID] == nil && !c.dropped[f.ID] {
			c.known[f.ID] = &keyEntry{id: f.ID, cert: f.Certificate(), on: seenOn{f.Storage, f.Name}}
			news = true
		}
	}
	for id := range c.dropped {
		if !there[id] { // it was pulled out
			delete(c.dropped, id)
		}
	}
	if news {
		c.write()
	}
}

// drop keeps a key of a token that is plugged in from being learned again at once; called under mu.
func (c *catalogue) drop(e *keyEntry) {
	if e.on != (seenOn{}) && e.listed {
		c.dropped[e.id] = true
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
	e := c.known[id]
	return c.opened[id] || e != nil && e.on == (seenOn{})
}

// forget deletes what is known of a key at once, from the disk too.
func (c *catalogue) forget(id string) error {
	c.lock()
	defer c.mu.Unlock()
	e := c.known[id]
	if e == nil {
		return nil
	}
	delete(c.known, id)
	c.drop(e)
	if !slices.ContainsFunc(c.entries(), func(o keyEntry) bool { return o.cert.Fingerprint() == e.cert.Fingerprint() }) {
		delete(c.state, e.cert.Fingerprint())
	}
	for origin, last := range c.last {
		if last == id {
			delete(c.last, origin)
		}
	}
	if err := c.erase(false); err != nil {
		return err
	}
	if c.index.unread() {
		c.gone[id] = true
		return errIndexShut
	}
	return nil
}

// forgetAll deletes everything known.
func (c *catalogue) forgetAll() error {
	c.lock()
	defer c.mu.Unlock()
	for _, e := range c.known {
		c.drop(e)
	}
	c.clear()
	return c.erase(true)
}

// rewrite puts the catalogue where it belongs now.
func (c *catalogue) rewrite() error {
	c.lock()
	defer c.mu.Unlock()
	return c.erase(false)
}

// erase writes what is left, and leaves no older copy anywhere, but of what could not be read. That it failed, the person
// is told.
func (c *catalogue) erase(all bool) error {
	return errors.Join(c.save(), c.index.purge(all))
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
	slices.SortFunc(list, func(a, b keyEntry) int {
		x, y := a.cert.Holder(), b.cert.Holder()
		return cmp.Or(a.cert.NotAfter.Compare(b.cert.NotAfter), cmp.Compare(x.Organization, y.Organization), cmp.Compare(x.CommonName, y.CommonName), cmp.Compare(a.id, b.id))
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
