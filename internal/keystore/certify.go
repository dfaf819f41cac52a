package keystore

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"slices"

	"senim/algid"
	"senim/internal/token"
	"senim/pki"
)

// Errors of tokens, beside those of a PIN.
var (
	// ErrCannot: the token has no mechanism for such a key.
	ErrCannot = token.ErrCannot
	// ErrToken: the token or its driver failed; how is for the log, never for a page.
	ErrToken = token.ErrFailed
)

// onToken makes the key pairs of an order inside an open token. What it made goes again when the order cannot be
// finished; called under mu.
func (k *Keeper) onToken(o Order) ([]Note, error) {
	if o.On == nil || o.On.Storage != o.Storage {
		return nil, failure("storage_unavailable", "no such token is open")
	}
	if err := k.room(o); err != nil {
		return nil, err
	}
	// What is about to be made is noted first: after a kill it is known for ours, and for nobody else's.
	k.trim(len(o.Profiles))
	before := slices.Clone(k.notes)
	notes, err := k.named(o)
	if err != nil {
		return nil, err
	}
	k.notes = append(k.notes, notes...)
	if err := k.save(); err != nil {
		k.notes = before
		return nil, failure("write_failed", "write pending keys: %w", err)
	}
	k.fault("token noted")
	begun := 0
	err = func() error {
		for i, p := range o.Profiles {
			begun++
			n, err := k.pairOnToken(o, p, notes[i].Name)
			if err != nil {
				return err
			}
			notes[i] = n
			k.fault("token pair made")
		}
		k.notes = append(slices.Clone(before), notes...)
		if err := k.save(); err != nil {
			return failure("write_failed", "write pending keys: %w", err)
		}
		k.fault("token pairs noted")
		return nil
	}()
	if err == nil {
		return notes, nil
	}
	k.notes = before
	for _, n := range notes[:begun] {
		undone := o.On.t.Discard(n.Name)
		if undone == nil || errors.Is(undone, token.ErrNotFound) {
			continue
		}
		err = errors.Join(err, undone) // it may stand there
		n.State, n.KeyID, n.PublicKey, n.Request = Left, "", nil, nil
		k.notes = append(k.notes, n)
	}
	return nil, errors.Join(err, k.save())
}

// named notes the pairs of an order under new identifiers, before they are made.
func (k *Keeper) named(o Order) ([]Note, error) {
	var notes []Note
	for _, p := range o.Profiles {
		if p.prefix() == "" {
			return nil, failure("unsupported_profile", "%s %s", p.Algorithm, p.Usage)
		}
		id := make([]byte, 20)
		if _, err := io.ReadFull(k.random, id); err != nil {
			return nil, failure("write_failed", "name a key: %w", err)
		}
		notes = append(notes, Note{Origin: o.Origin, RequestID: o.RequestID, Algorithm: p.Algorithm, Usage: p.Usage, Made: k.now().UTC(), State: Making,
			Storage: o.Storage, Token: o.On.Label, Serial: o.On.Serial, Name: token.NameOf(id)})
	}
	return notes, nil
}

// pairOnToken makes one pair of this name, and its request, signed inside.
func (k *Keeper) pairOnToken(o Order, p Profile, name string) (Note, error) {
	t := o.On.t
	var key crypto.Signer
	var err error
	switch p.Algorithm {
	case "RSA2048":
		key, err = t.Generate(context.Background(), name, 2048)
	case "GOST512":
		key, err = t.GenerateGOST(context.Background(), name)
	default:
		err = ErrCannot
	}
	if err != nil {
		return Note{}, failure("storage_unavailable", "make a key pair on the token: %w", err)
	}
	n, err := k.noteOf(o, p, key)
	n.Storage, n.Token, n.Serial, n.Name, n.State = o.Storage, o.On.Label, o.On.Serial, name, Pending
	return n, err
}

// Certify puts certificates beside the keys that were made for them on an open token: all of them, or none. Nothing
// that is there is replaced or removed. Each key first proves by a signature over a probe that it is the
// certificate's. Reasons beside those of [Keeper.Match]: pending_key_unreadable, file_exists, write_failed, verify_failed.
func (k *Keeper) Certify(certificates []*pki.Certificate, on *Place) ([]Installed, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	matches, err := k.match(certificates)
	if err != nil {
		return nil, err
	}
	keys := make([]*Key, len(matches))
	for i, m := range matches {
		if !m.Note.at(on) {
			return nil, failure("no_pending_key", "the key is not on this token")
		}
		signer, err := k.probeToken(m, on)
		if err != nil {
			return nil, err
		}
		keys[i] = &Key{Signer: signer, Certificate: m.Certificate, Storage: on.Storage}
	}
	var out []Installed
	for i, m := range matches {
		made, err := on.t.Certify(context.Background(), m.Note.Name, m.Certificate.Raw)
		if err == nil && made { // read back
			if again, bad := on.t.Certify(context.Background(), m.Note.Name, m.Certificate.Raw); bad != nil || again {
				err = errors.Join(errors.New("the token does not show it"), bad)
			}
		}
		if made {
			out = append(out, Installed{KeyID: m.Note.KeyID, Created: true, Key: keys[i]})
		} else if err == nil {
			out = append(out, Installed{KeyID: m.Note.KeyID, Key: keys[i]})
		}
		if err != nil {
			for j, done := range out {
				if done.Created {
					err = errors.Join(err, on.t.Undo(matches[j].Note.Name, matches[j].Certificate.Raw))
				}
			}
			if errors.Is(err, token.ErrExists) {
				return nil, failure("file_exists", "%w", err)
			}
			return nil, failure("write_failed", "%w", err)
		}
	}
	for _, m := range matches {
		n := &k.notes[k.find(m.Certificate)]
		fingerprint := m.Certificate.Fingerprint()
		n.State, n.Certificate = Finished, fingerprint[:]
	}
	if err := k.save(); err != nil {
		return nil, failure("write_failed", "%w", err)
	}
	return out, nil
}

// at tells whether a note's key is on this token.
func (n Note) at(on *Place) bool {
	return on != nil && n.OnToken() && n.Storage == on.Storage && n.Token == on.Label && n.Serial == on.Serial
}

// probeToken proves that key and certificate belong together, and gives the key.
func (k *Keeper) probeToken(m Match, on *Place) (crypto.Signer, error) {
	key, err := on.t.Key(context.Background(), m.Note.Name)
	if err != nil {
		return nil, failure("pending_key_unreadable", "%w", err)
	}
	spki, err := algid.MarshalPublicKey(key.Public())
	if err != nil || !bytes.Equal(spki, m.Note.PublicKey) {
		return nil, failure("pending_key_unreadable", "the token holds another key")
	}
	algorithm, err := algid.SignatureFor(m.Certificate.PublicKey)
	if err != nil {
		return nil, failure("verify_failed", "%w", err)
	}
	probe := []byte("senim probe " + m.Note.KeyID)
	signature, err := algorithm.Sign(k.random, key, probe)
	if err == nil {
		err = algorithm.Verify(m.Certificate.PublicKey, probe, signature)
	}
	if err != nil {
		return nil, failure("verify_failed", "probe signature: %w", err)
	}
	return key, nil
}
