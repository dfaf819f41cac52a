package keystore

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"senim/algid"
	"senim/pfx"
	"senim/pki"
)

// Match is a certificate with the pending or finished key it belongs to.
type Match struct {
	Certificate *pki.Certificate
	Note        Note
	Stray       bool // its file came from another computer: it is not noted here until [Keeper.Adopt]
}

// Installed is one finished file; of a key on a token without name and path.
type Installed struct {
	KeyID    string
	FileName string
	Path     string
	Created  bool // false: the same file stood there already
	// OtherPassword: it stood there under another password than the one that was given now, and has kept it.
	OtherPassword bool
	// Key is the finished key, open; nil when the password of now does not open it.
	Key *Key
}

// Match finds the key of every certificate by its public key, never by a name; one that is not known here also in the
// folders, by its file's name. It changes nothing. Reasons: no_pending_key, duplicate, expired.
func (k *Keeper) Match(certificates []*pki.Certificate, folders ...string) ([]Match, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.match(certificates, folders...)
}

func (k *Keeper) match(certificates []*pki.Certificate, folders ...string) ([]Match, error) {
	var out []Match
	for i, c := range certificates {
		for _, earlier := range certificates[:i] {
			if bytes.Equal(earlier.RawSPKI, c.RawSPKI) {
				return nil, failure("duplicate", "two certificates of one key")
			}
		}
		if k.now().After(c.NotAfter) {
			return nil, failure("expired", "the certificate ended %s", c.NotAfter.Format(time.RFC3339))
		}
		at := k.find(c)
		if at < 0 {
			n, ok := k.stray(c, folders)
			if !ok {
				return nil, failure("no_pending_key", "no key here waits for this certificate")
			}
			out = append(out, Match{Certificate: c, Note: n, Stray: true})
			continue
		}
		out = append(out, Match{Certificate: c, Note: k.notes[at]})
	}
	return out, nil
}

// find compares keys, not encodings: a CA may write the same key with other parameters.
func (k *Keeper) find(c *pki.Certificate) int {
	spki, err := algid.MarshalPublicKey(c.PublicKey)
	if err != nil {
		return -1
	}
	for i, n := range k.notes {
		if n.State != Making && bytes.Equal(n.PublicKey, spki) {
			return i
		}
	}
	return -1
}

// step is one file on its way.
type step struct {
	at        int // index of the note
	note      Note
	cert      *pki.Certificate
	temporary string
	final     string
	content   []byte // of the file that is made
	stands    bool   // it was there already
	ready     bool   // its temporary file was written and proved
	created   bool   // by this call: only such a file may be taken away again
	other     bool   // it stood there, and the password of now does not open it
	key       crypto.Signer
}

// Install makes the finished key file of every certificate under one new password: all of them, or
// none. Pending files go away only after all finished ones stand. Of a call that was killed some may stand: they
// keep their password, and the others are made under that one only. Reasons beside those of [Keeper.Match]:
// other_password, pending_key_unreadable, file_exists, write_failed, verify_failed, folder_unavailable.
func (k *Keeper) Install(certificates []*pki.Certificate, password string) ([]Installed, error) {
	return k.InstallSealed(certificates, password, nil)
}

// InstallSealed is Install of keys some of which are under a password of the person's: sealed has it by the key's identifier;
// pending_password when one is wrong, with its key.
func (k *Keeper) InstallSealed(certificates []*pki.Certificate, password string, sealed map[string]string) ([]Installed, error) {
	if err := pfx.CheckPassword(password); err != nil {
		return nil, failure("password", "%w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if matches, err := k.match(certificates); err != nil {
		return nil, err
	} else if slices.ContainsFunc(matches, func(m Match) bool { return m.Note.OnToken() }) {
		return nil, failure("no_pending_key", "the key is on a token")
	}
	steps := k.steps(certificates)
	if err := look(steps, password); err != nil {
		return nil, err
	}
	if err := k.advance(steps, password, sealed); err != nil {
		for _, s := range steps {
			_ = remove(s.temporary)
			if s.created {
				_ = remove(s.final)
			}
		}
		return nil, err
	}
	return k.finish(steps)
}

func (k *Keeper) steps(certificates []*pki.Certificate) (steps []*step) {
	for _, c := range certificates {
		at := k.find(c)
		n := k.notes[at]
		name := Profile{n.Algorithm, n.Usage}.prefix() + n.KeyID + ".p12"
		steps = append(steps, &step{
			at: at, note: n, cert: c, final: filepath.Join(n.Folder, name),
			temporary: filepath.Join(n.Folder, ".senim-"+n.KeyID+".tmp"),
		})
	}
	return steps
}

// Agrees tells whether [Keeper.Install] would make all these files under this password: other_password when some
// stand there already under another, file_exists when somebody else's does.
func (k *Keeper) Agrees(certificates []*pki.Certificate, password string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.match(certificates); err != nil {
		return err
	}
	return look(k.steps(certificates), password)
}

// look finds what stands already, and refuses to make the rest under another password.
func look(steps []*step, password string) error {
	other, missing := "", false
	for _, s := range steps {
		if err := mend(s.final); err != nil {
			return failure("write_failed", "%w", err)
		}
		var err error
		if s.stands, err = s.standing(); err != nil {
			return err
		}
		if !s.stands {
			missing = true
			continue
		}
		content, err := read(s.final)
		if err == nil {
			var file *pfx.File
			if file, err = pfx.Decode(content, password); err == nil {
				s.key = file.Key
			}
		}
		switch s.other = errors.Is(err, pfx.ErrPassword); {
		case s.other:
			other = filepath.Base(s.final)
		case err != nil:
			return failure("verify_failed", "%w", err)
		}
	}
	if missing && other != "" {
		return failure("other_password", "%s is there already, under the password that was given first", other)
	}
	return nil
}

// advance writes every temporary file, notes what the final ones will be, then links them.
func (k *Keeper) advance(steps []*step, password string, sealed map[string]string) error {
	for _, s := range steps {
		if s.stands {
			continue
		}
		if err := k.prepare(s, password, sealed[s.note.KeyID]); err != nil {
			return err
		}
		s.ready = true
	}
	for _, s := range steps {
		if s.ready {
			k.notes[s.at] = s.note
		}
	}
	if err := k.save(); err != nil {
		return failure("write_failed", "%w", err)
	}
	k.fault("install noted")
	for _, s := range steps {
		if !s.ready {
			continue
		}
		if err := settle(s.temporary, s.final, s.content, 0o600, k.fault); err != nil {
			if errors.Is(err, os.ErrExist) {
				return failure("file_exists", "%s exists", filepath.Base(s.final))
			}
			return failure("write_failed", "%w", err)
		}
		s.created = true
		k.fault("install linked")
		if err := syncDir(s.note.Folder); err != nil {
			return failure("write_failed", "%w", err)
		}
	}
	return nil
}

// standing reports whether the finished file is there with the same certificate. Its digest was
// noted before it was linked, so no password is needed to know it again.
func (s *step) standing() (bool, error) {
	content, err := read(s.final)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	sum := sha256.Sum256(content)
	fingerprint := s.cert.Fingerprint()
	if err == nil && s.note.FinalDigest == hex.EncodeToString(sum[:]) && bytes.Equal(s.note.Certificate, fingerprint[:]) {
		return true, nil
	}
	return false, failure("file_exists", "%s exists", filepath.Base(s.final))
}

// prepare writes the temporary file, opens it again with the password, and proves by a signature
// over a probe that key and certificate belong together.
func (k *Keeper) prepare(s *step, password, sealed string) error {
	if err := CheckFolder(s.note.Folder); err != nil {
		return err
	}
	key, err := k.pending(s.note, sealed)
	if s.note.Sealed && errors.Is(err, pfx.ErrPassword) {
		f := failure("pending_password", "the password that was given when the key was made is another one")
		f.Key = s.note.KeyID
		return f
	}
	if err != nil {
		return failure("pending_key_unreadable", "%w", err)
	}
	content, err := pfx.Encode(k.random, pfx.File{Key: key, Certificate: s.cert, Alias: s.note.KeyID}, password, k.form)
	if err != nil {
		return failure("write_failed", "%w", err)
	}
	if err := remove(s.temporary); err != nil && !errors.Is(err, os.ErrNotExist) { // of a kill
		return failure("write_failed", "%w", err)
	}
	if err := createPlain(s.temporary, content, 0o600); err != nil {
		return failure("write_failed", "%w", err)
	}
	s.content = content
	k.fault("install temporary")
	if err := k.probe(s, password); err != nil {
		return failure("verify_failed", "%w", err)
	}
	sum := sha256.Sum256(content)
	fingerprint := s.cert.Fingerprint()
	s.note.State = Finishing
	s.note.FinalName = filepath.Base(s.final)
	s.note.FinalDigest = hex.EncodeToString(sum[:])
	s.note.Certificate = fingerprint[:]
	return nil
}

func (k *Keeper) probe(s *step, password string) error {
	content, err := read(s.temporary)
	if err != nil {
		return err
	}
	file, err := pfx.Decode(content, password)
	if err != nil {
		return err
	}
	probe := []byte("senim probe " + s.note.KeyID)
	algorithm, err := algid.SignatureFor(s.cert.PublicKey)
	if err != nil {
		return err
	}
	signature, err := algorithm.Sign(k.random, file.Key, probe)
	if err != nil {
		return err
	}
	if err := algorithm.Verify(s.cert.PublicKey, probe, signature); err != nil {
		return fmt.Errorf("probe signature: %w", err)
	}
	s.key = file.Key
	return nil
}

// finish takes the pending and temporary files away; what is left behind by a kill here goes at a
// repetition.
func (k *Keeper) finish(steps []*step) ([]Installed, error) {
	var out []Installed
	for _, s := range steps {
		_ = remove(s.temporary)
		_ = remove(filepath.Join(s.note.Folder, s.note.File))
		k.fault("pending removed")
		_ = syncDir(s.note.Folder)
		k.notes[s.at].State = Finished
		one := Installed{KeyID: s.note.KeyID, FileName: filepath.Base(s.final), Path: s.final, Created: s.created, OtherPassword: s.other}
		if s.key != nil {
			one.Key = &Key{Signer: s.key, Certificate: s.cert, Storage: PKCS12}
		}
		out = append(out, one)
	}
	if err := k.save(); err != nil {
		return nil, failure("write_failed", "%w", err)
	}
	return out, nil
}

// FinalName is the name the finished file will have; of a key on a token there is none.
func (m Match) FinalName() string {
	if m.Note.OnToken() {
		return ""
	}
	return Profile{m.Note.Algorithm, m.Note.Usage}.prefix() + m.Note.KeyID + ".p12"
}
