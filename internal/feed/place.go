package feed

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"senim/internal/tlog"
	"senim/pki"
)

// logFeed is the name of the log's cursors.
const logFeed = "log"

// step brings the next certificates into the log, and returns how many records were read.
func (l *Log) step(ctx context.Context, folder Folder) (int64, error) {
	b, err := next(ctx, l.c.Store, logFeed, l.last)
	if err != nil {
		return 0, err
	}
	l.last = b.node
	l.lag(ctx, b)
	if b.last == b.after {
		return 0, l.rest(ctx)
	}
	entries, err := l.entries(ctx, b.issued)
	if err != nil {
		return 0, err
	}
	var fresh [][]byte
	s, err := l.hold(ctx, func(tx Tx, s *State) error {
		fresh = nil
		var places []Place
		places, fresh, err = place(ctx, tx, s.Planned, b.issued, entries)
		if err != nil {
			return err
		}
		s.Planned += int64(len(places))
		if err := tx.AddPlaces(ctx, places); err != nil {
			return err
		}
		return b.advance(ctx, tx, logFeed)
	})
	if errors.Is(err, errMoved) || errors.Is(err, errStandby) {
		return 0, errLost
	}
	if err != nil {
		return 0, err
	}
	if err := l.append(ctx, folder, s, s.Planned-int64(len(fresh)), fresh); err != nil {
		return 0, err
	}
	return b.last - b.after, nil
}

// place gives places to those who have none: a certificate is in the log once.
func place(ctx context.Context, tx Tx, first int64, issued []Issued, entries [][]byte) (places []Place, fresh [][]byte, err error) {
	serials := make([]string, len(issued))
	for i := range issued {
		serials[i] = issued[i].Serial
	}
	had, err := tx.Placed(ctx, serials)
	if err != nil {
		return nil, nil, err
	}
	for i, serial := range serials {
		if had[serial] {
			continue
		}
		had[serial] = true
		places = append(places, Place{first + int64(len(places)), serial, tlog.Leaf(entries[i])})
		fresh = append(fresh, entries[i])
	}
	return places, fresh, nil
}

// append writes entries to the places they have, if the lease lasts.
func (l *Log) append(ctx context.Context, folder Folder, s State, first int64, entries [][]byte) error {
	if len(entries) > 0 {
		if !l.c.Now().Before(s.Until.Add(-l.c.Lease / 2)) {
			return errLost
		}
		if err := folder.Append(ctx, first, entries); err != nil {
			return err
		}
	}
	l.writing(first + int64(len(entries)))
	return nil
}

// writing notes that this process writes, and how long the log is.
func (l *Log) writing(size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.health = Health{Writing: true, Size: size, Lag: l.health.Lag, Late: l.health.Late}
}

// rest notes, when there is nothing to do, what stands in the folder; and renews the lease.
func (l *Log) rest(ctx context.Context) error {
	var s State
	err := l.c.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.State(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if s.Writer != l.token {
		return errLost
	}
	if s.Written == s.Planned && l.c.Now().Before(s.Until.Add(-l.c.Lease/2)) {
		return nil
	}
	root, err := tlog.NewLog(l.key, l.c.Fetch).Root(s.Planned)
	if err != nil {
		return err
	}
	planned := s.Planned
	_, err = l.hold(ctx, func(_ Tx, s *State) error {
		if s.Planned != planned {
			return errLost
		}
		s.Written, s.Root = planned, root
		return nil
	})
	return err
}

// entries makes the entries of certificates, and salts for holders who have none.
func (l *Log) entries(ctx context.Context, issued []Issued) ([][]byte, error) {
	salts, err := l.salts(ctx, issued)
	if err != nil {
		return nil, err
	}
	all := make([][]byte, len(issued))
	for i, one := range issued {
		if all[i], err = entry(one, salts[one.Holder()]); err != nil {
			return nil, fmt.Errorf("record %d of node %s: %w", one.Seq, one.Node, err)
		}
	}
	return all, nil
}

func entry(i Issued, s tlog.Salt) ([]byte, error) {
	if sum := sha256.Sum256(i.Raw); i.Sum != "" && hex.EncodeToString(sum[:]) != i.Sum {
		return nil, fmt.Errorf("certificate %s is not the one the audit says was issued", i.Serial)
	}
	c, err := pki.ParseCertificate(i.Raw)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", i.Serial, err)
	}
	e, err := tlog.New(c, s)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", i.Serial, err)
	}
	if e.SerialHex() != i.Serial {
		return nil, fmt.Errorf("certificate %s has another serial", i.Serial)
	}
	return e.Marshal()
}

// salts reads the salts of the holders, and makes those that are missing.
func (l *Log) salts(ctx context.Context, issued []Issued) (map[string]tlog.Salt, error) {
	var holders []string
	seen := map[string]bool{}
	for _, i := range issued {
		if h := i.Holder(); !seen[h] {
			seen[h] = true
			holders = append(holders, h)
		}
	}
	var kept map[string][]byte
	read := func(tx Tx) (err error) {
		kept, err = tx.Salts(ctx, holders)
		return err
	}
	err := l.c.Store.View(ctx, read)
	if err == nil && len(kept) < len(holders) {
		err = l.c.Store.Update(ctx, func(tx Tx) error {
			if err := read(tx); err != nil {
				return err
			}
			for _, h := range holders {
				if kept[h] != nil {
					continue
				}
				kept[h] = make([]byte, tlog.SaltSize)
				_, _ = rand.Read(kept[h]) // never fails: crypto/rand
				if err := tx.AddSalt(ctx, h, kept[h]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("salts of holders: %w", err)
	}
	salts := map[string]tlog.Salt{}
	for h, b := range kept {
		if len(b) != tlog.SaltSize {
			return nil, errors.New("salts of holders: a salt of another length")
		}
		salts[h] = tlog.Salt(b)
	}
	return salts, nil
}
