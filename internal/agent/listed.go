package agent

import (
	"errors"
	"fmt"
	"time"

	"senim/internal/cabinet/client"
	"senim/pki"
)

// listedKeys is what the cabinet listed of one person, or of one side of him: the keys in the name of an
// organisation. It is kept in memory only.
type listedKeys struct {
	iin, bin string
	owner    string // in words
	at       time.Time
	keys     []listedKey
	more     bool              // the list is cut
	onTokens map[[32]byte]bool // certificates that were on a token then, by fingerprint
}

type listedKey struct {
	cert *pki.Certificate
	held bool
}

// readListed takes the list for who signed in, or refuses the whole of it: a list with a key of somebody
// else, or one that is no certificate, is not his.
func readListed(list client.Listed, by *pki.Certificate, now time.Time) (*listedKeys, error) {
	h := by.Holder()
	out := &listedKeys{iin: h.IIN, bin: h.BIN, owner: h.CommonName, at: now, more: list.More, onTokens: map[[32]byte]bool{}}
	if h.BIN != "" {
		out.owner += ", " + h.Organization
	}
	seen := map[[32]byte]bool{}
	for _, k := range list.Keys {
		cert, err := pki.ParseCertificate(k.Certificate)
		if err != nil {
			return nil, fmt.Errorf("read the cabinet's list: %w", err)
		}
		if !out.about(cert) {
			return nil, errors.New("read the cabinet's list: a key of somebody else")
		}
		if seen[cert.Fingerprint()] {
			return nil, errors.New("read the cabinet's list: a key twice")
		}
		seen[cert.Fingerprint()] = true
		out.keys = append(out.keys, listedKey{cert, k.Held})
	}
	return out, nil
}

// about tells whether a list of this person and side would have the certificate. Who signed in with a
// personal key is told all he has.
func (l *listedKeys) about(cert *pki.Certificate) bool {
	h := cert.Holder()
	return h.IIN == l.iin && (l.bin == "" || h.BIN == l.bin)
}

func (l *listedKeys) find(cert *pki.Certificate) *listedKey {
	for i := range l.keys {
		if l.keys[i].cert.Fingerprint() == cert.Fingerprint() {
			return &l.keys[i]
		}
	}
	return nil
}

// newer gives a key of the list that replaces this one: of the same holder and use, issued later.
func (l *listedKeys) newer(cert *pki.Certificate) *pki.Certificate {
	var last *pki.Certificate
	for _, k := range l.keys {
		if ownerOf(k.cert) == ownerOf(cert) && k.cert.NotBefore.After(cert.NotBefore) && (last == nil || k.cert.NotBefore.After(last.NotBefore)) {
			last = k.cert
		}
	}
	return last
}

// keepListed keeps a list in the place of the one before.
func (a *Agent) keepListed(l *listedKeys) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := []*listedKeys{}
	for _, old := range a.lists {
		if old.iin != l.iin || old.bin != l.bin {
			kept = append(kept, old)
		}
	}
	a.lists = append(kept, l)
	a.came++
}

// forgetListed drops every list: they name keys.
func (a *Agent) forgetListed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists = nil
}

// listsNow gives the lists that are kept, and how many came so far.
func (a *Agent) listsNow() ([]*listedKeys, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*listedKeys{}, a.lists...), a.came
}
