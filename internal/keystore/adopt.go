package keystore

import (
	"encoding/hex"
	"os"
	"path/filepath"

	"senim/algid"
	"senim/pfx"
	"senim/pki"
)

// Adopt looks in the folders for pending keys that nobody here knows of, because they were made on another computer, under
// a password of the person's, or because the notes were lost, and that these certificates belong to: it notes them as waiting, for whom they were made being origin. Certificates whose
// key waits here already, or is nowhere, are left alone: [Keeper.Match] says so. A file is found by its name and
// proved by its key when it is opened.
func (k *Keeper) Adopt(certificates []*pki.Certificate, folders []string, origin string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trim(len(certificates))
	kept := len(k.notes)
	for _, c := range certificates {
		if k.find(c) >= 0 {
			continue
		}
		if n, ok := k.stray(c, folders); ok && len(k.notes) < maxNotes {
			n.Origin, n.Made = origin, k.now().UTC()
			k.notes = append(k.notes, n)
		}
	}
	if len(k.notes) == kept {
		return nil
	}
	if err := k.save(); err != nil {
		k.notes = k.notes[:kept]
		return failure("write_failed", "%w", err)
	}
	return nil
}

// stray finds the pending file of a certificate's key.
func (k *Keeper) stray(c *pki.Certificate, folders []string) (Note, bool) {
	spki, err := algid.MarshalPublicKey(c.PublicKey)
	if err != nil {
		return Note{}, false
	}
	id := hex.EncodeToString(algid.KeyID(c.PublicKey))
	for _, p := range []Profile{{"GOST512", "SIGNATURE"}, {"GOST256", "SIGNATURE"}, {"RSA2048", "SIGNATURE"}, {"RSA2048", "AUTHENTICATION"}} {
		name := "PENDING_" + p.prefix() + id + ".p8"
		for _, folder := range folders {
			if info, err := os.Lstat(filepath.Join(folder, name)); err == nil && info.Mode().IsRegular() {
				n := Note{KeyID: id, PublicKey: spki, Algorithm: p.Algorithm, Usage: p.Usage, Folder: folder, File: name, State: Pending}
				n.Sealed = !k.ownSecret(filepath.Join(folder, name))
				return n, true
			}
		}
	}
	return Note{}, false
}

// ownSecret tells whether a pending file was made here, under the keeper's own secret; one is never made for that.
func (k *Keeper) ownSecret(path string) bool {
	if _, err := os.Lstat(filepath.Join(k.dir, secretFile)); err != nil && k.keptSecret() == nil {
		return false
	}
	content, err := read(path)
	if err != nil || k.unlock() != nil {
		return false
	}
	_, err = pfx.DecryptPrivateKey(content, k.secret)
	return err == nil
}
