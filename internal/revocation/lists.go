package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"senim/internal/ask"
	"senim/internal/trust"
	"senim/pki"
)

// laid is a list and where it came from.
type laid struct {
	*pki.RevocationList
	from string // file name or address
	sum  [32]byte
}

// proof is a list and an issuer that was held against it.
type proof struct{ list, issuer [32]byte }

// file is a file of the directory as it was read.
type file struct {
	size  int64
	mtime time.Time
	lists []laid
}

// page is a list as it was fetched.
type page struct {
	lists []laid
	at    time.Time
}

// refetch is how long a fetched list is used before its address is asked again.
const refetch = 5 * time.Minute

// askLists looks the certificate up in the newest full list of its issuer and the newest delta over it; used are these.
func (s *Source) askLists(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) (st trust.Status, used []*pki.RevocationList, err error) {
	all, err := s.lists(ctx, cert, issuer, at)
	if err != nil {
		return trust.Status{}, nil, err
	}
	full, stale := s.newest(all, issuer, at, func(l laid) bool { return l.BaseNumber == nil && l.Covers(cert) })
	if full == nil {
		if stale != nil {
			return trust.Status{}, nil, &staleError{stale.from, stale.NextUpdate}
		}
		return trust.Status{}, nil, errNobody // nor is a list for other certificates of the issuer of any use
	}
	delta, _ := s.newest(all, issuer, at, func(l laid) bool { return over(l, *full) })
	st = trust.Status{State: trust.StateGood, Source: "crl", Evidence: full.evidence("")}
	used = append(used, full.RevocationList)
	st.Evidence["issuer"] = issuer.Subject.String()
	entry, listed := full.Find(cert.Serial)
	if delta != nil {
		used = append(used, delta.RevocationList)
		for k, v := range delta.evidence("delta.") {
			st.Evidence[k] = v
		}
		if e, ok := delta.Find(cert.Serial); ok {
			entry, listed = e, e.Reason != pki.RemoveFromCRL
		}
	}
	if listed {
		st.State, st.RevokedAt, st.Reason = trust.StateRevoked, entry.RevokedAt, -1
		if entry.HasReason {
			st.Reason = int(entry.Reason)
		}
	}
	return st, used, nil
}

// over reports whether a delta may be put on the full list (RFC 5280 5.2.4): it is of the same scope,
// its base is not after the full list, and it is not older. Its own number proves nothing: the national lists count deltas
// apart (crypto.md §11).
func over(delta, full laid) bool {
	return delta.BaseNumber != nil && full.Number != nil && delta.SameScope(full.RevocationList) &&
		delta.BaseNumber.Cmp(full.Number) <= 0 && !delta.ThisUpdate.Before(full.ThisUpdate)
}

// newest chooses the newest list of the issuer that is wanted and inside its dates; stale is the
// newest one past them.
func (s *Source) newest(all []laid, issuer *pki.Certificate, at time.Time, wanted func(laid) bool) (best, stale *laid) {
	for _, l := range all {
		if !wanted(l) || l.ThisUpdate.After(at.Add(maxAhead)) || s.prove(l, issuer) != nil {
			continue
		}
		into := &best
		if l.NextUpdate.IsZero() || at.After(l.NextUpdate) {
			into = &stale
		}
		if *into == nil || l.ThisUpdate.After((*into).ThisUpdate) {
			*into = &l
		}
	}
	return best, stale
}

// prove checks, once, that the issuer signed the list. Whom it covers is asked for each certificate.
func (s *Source) prove(l laid, issuer *pki.Certificate) error {
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) || (l.AuthorityKeyID != nil && !bytes.Equal(l.AuthorityKeyID, issuer.SubjectKeyID)) {
		return errors.New("a list of another issuer")
	}
	key := proof{l.sum, issuer.Fingerprint()}
	s.mu.Lock()
	err, known := s.proved[key]
	s.mu.Unlock()
	if known {
		return err
	}
	if err = l.CheckPartSignatureFrom(issuer); err == nil && issuer.KeyUsage != 0 && issuer.KeyUsage&pki.CRLSign == 0 {
		err = errors.New("the issuer may not sign lists")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.proved) > maxCached {
		clear(s.proved)
	}
	s.proved[key] = err
	return err
}

func (l laid) evidence(prefix string) map[string]string {
	e := map[string]string{
		prefix + "list": l.from, prefix + "thisUpdate": stamp(l.ThisUpdate), prefix + "nextUpdate": stamp(l.NextUpdate),
		prefix + "sha256": hex.EncodeToString(l.sum[:]),
	}
	if l.Number != nil {
		e[prefix+"number"] = l.Number.String()
	}
	return e
}

// lists gathers every list at hand for the issuer. What cannot be read is logged and left out.
func (s *Source) lists(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) ([]laid, error) {
	var all []laid
	if s.c.Dir != "" {
		found, err := s.directory()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	client, addresses := s.c.HTTP, s.c.Lists[hex.EncodeToString(issuer.SubjectKeyID)]
	if len(addresses) == 0 && s.c.Inside != nil {
		client, addresses = s.c.Inside, append(bounded(cert.CRL), bounded(cert.DeltaCRL)...)
	}
	for _, address := range addresses {
		all = append(all, s.fetch(ctx, client, address, issuer, at)...)
	}
	return all, nil
}

// bounded keeps a certificate from naming more places than two.
func bounded(addresses []string) []string {
	return slices.Clone(addresses[:min(len(addresses), 2)])
}

// directory reads files that are new or changed and forgets those that are gone.
func (s *Source) directory() ([]laid, error) {
	entries, err := os.ReadDir(s.c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNobody
	}
	if err != nil {
		return nil, fmt.Errorf("read lists: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []laid
	next := make(map[string]file, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.IsDir() || !strings.EqualFold(filepath.Ext(e.Name()), ".crl") {
			continue
		}
		f, ok := s.files[e.Name()]
		if !ok || f.size != info.Size() || !f.mtime.Equal(info.ModTime()) {
			f = file{size: info.Size(), mtime: info.ModTime()}
			if f.lists, err = readFile(filepath.Join(s.c.Dir, e.Name())); err != nil {
				s.c.Log.Warn("a revocation list cannot be read", "file", e.Name(), "error", err)
			}
		}
		next[e.Name()] = f
		all = append(all, f.lists...)
	}
	s.files = next
	return all, nil
}

func readFile(name string) ([]laid, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxList {
		return nil, fmt.Errorf("%d bytes, at most %d", info.Size(), maxList)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return readLists(raw, filepath.Base(name), pki.ParseRevocationList)
}

func readLists(raw []byte, from string, parse func([]byte) (*pki.RevocationList, error)) ([]laid, error) {
	blocks, err := pki.Decode(raw)
	if err != nil {
		return nil, err
	}
	var all []laid
	for _, b := range blocks {
		l, err := parse(b.DER)
		if err != nil {
			return nil, err
		}
		all = append(all, laid{l, from, sha256.Sum256(b.DER)})
	}
	return all, nil
}

// fetch returns the list of an address, asked for at most every five minutes. When it cannot be had,
// the one before is used as long as its own dates allow.
func (s *Source) fetch(ctx context.Context, client *http.Client, address string, issuer *pki.Certificate, at time.Time) []laid {
	key := address + " " + issuer.SerialHex()
	s.mu.Lock()
	old, ok := s.pages[key]
	s.mu.Unlock()
	if ok && at.Sub(old.at).Abs() < refetch {
		return old.lists
	}
	lists, err := s.get(ctx, client, address, issuer)
	if err != nil {
		s.c.Log.Warn("a revocation list cannot be fetched", "url", address, "error", err)
		return old.lists
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[key] = page{lists, at}
	return lists
}

func (s *Source) get(ctx context.Context, client *http.Client, address string, issuer *pki.Certificate) ([]laid, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*s.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	raw, err := ask.Do(client, req, maxList)
	if err != nil {
		return nil, err
	}
	// What comes over the network is large and may be anybody's: whose it is, before what is in it.
	return readLists(raw, address, func(der []byte) (*pki.RevocationList, error) {
		return pki.ParseRevocationListFrom(der, issuer)
	})
}
