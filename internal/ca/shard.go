package ca

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"senim/internal/audit"
	"senim/pki"
)

// maxShards bounds how many lists an authority's certificates are divided among.
const maxShards = 256

// Divide sets among how many lists the certificates an authority issues from now on are divided; 0
// is none: then only the list of all has them. What was issued before stays where its distribution
// point says, and the lists it is on stay alive. Services that are open learn of it when they are
// opened again; the new lists are made by the first [Service.Tend].
func Divide(ctx context.Context, store Store, ca string, lists int, by string) error {
	if lists < 0 || lists == 1 || lists > maxShards {
		return fmt.Errorf("divide the lists of %s: 0, or 2 to %d", ca, maxShards)
	}
	err := store.Update(ctx, func(tx Tx) error {
		all, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(a AuthorityRecord) bool { return a.Name == ca })
		if at < 0 || all[at].Parent == "" {
			return ErrNotFound
		}
		var settings Settings
		if err := json.Unmarshal(all[at].Settings, &settings); err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		if len(settings.CRL) == 0 {
			return errors.New("the authority writes no address of a list into certificates")
		}
		settings.Shards = append(slices.DeleteFunc(settings.Shards, func(n int) bool { return n == lists }), lists)
		text, err := json.Marshal(settings)
		if err != nil {
			return err
		}
		if err := tx.SetSettings(ctx, ca, text); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.lists_divided", Actor: by, Object: ca, Result: "ok",
			Detail: map[string]string{"lists": strconv.Itoa(lists)}})
	})
	if err != nil {
		return fmt.Errorf("divide the lists of %s: %w", ca, err)
	}
	return nil
}

// shards names every divided list that is alive: "8-3" is the fourth of eight.
func (a *authority) shards() (names []string) {
	for _, n := range a.settings.Shards {
		for k := range n {
			names = append(names, shardName(n, k))
		}
	}
	return names
}

func shardName(n, k int) string { return strconv.Itoa(n) + "-" + strconv.Itoa(k) }

// shardFor chooses the list of a certificate that is about to be issued.
func (a *authority) shardFor(serial []byte) string {
	if len(a.settings.Shards) == 0 {
		return ""
	}
	n := a.settings.Shards[len(a.settings.Shards)-1]
	if n == 0 {
		return ""
	}
	sum := sha256.Sum256(serial)
	return shardName(n, int(binary.BigEndian.Uint32(sum[:])%uint32(n)))
}

// points are the addresses of a list and of its deltas: those of the authority, or below them for one
// of the divided lists.
func (a *authority) points(shard string) (full, delta []string) {
	if shard == "" {
		return a.settings.CRL, a.settings.DeltaCRL
	}
	for _, address := range a.settings.CRL {
		base := strings.TrimSuffix(address, ".crl") + "/" + shard
		full = append(full, base+".crl")
		if len(a.settings.DeltaCRL) > 0 {
			delta = append(delta, base+"_d.crl")
		}
	}
	return full, delta
}

// shardOf tells on which of the divided lists a certificate stands by the address written into it, or
// into the bytes that may have been signed. Settings may be newer than this service: any list below
// the authority's addresses counts.
func (s *Service) shardOf(r Record) (string, error) {
	a, ok := s.authorities[r.CA]
	if !ok {
		return "", fmt.Errorf("authority %s: %w", r.CA, ErrNotFound)
	}
	raw := r.Raw
	if raw == nil {
		sig, err := signatureOf(a.cert)
		if err != nil {
			return "", err
		}
		raw = pki.Assemble(r.TBS, sig, []byte{0})
	}
	c, err := pki.ParseCertificate(raw)
	if err != nil {
		return "", err
	}
	for _, own := range a.settings.CRL {
		for _, address := range c.CRL {
			rest, below := strings.CutPrefix(address, strings.TrimSuffix(own, ".crl")+"/")
			if shard, ok := strings.CutSuffix(rest, ".crl"); below && ok {
				return shard, nil
			}
		}
	}
	return "", nil
}
