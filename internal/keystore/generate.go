package keystore

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"senim/algid"
	"senim/gost"
	"senim/pfx"
	"senim/pki"
)

// Profile is one key pair to make.
type Profile struct{ Algorithm, Usage string } // GOST512, GOST256 or RSA2048; SIGNATURE or AUTHENTICATION

// prefix begins the names of a profile's files.
func (p Profile) prefix() string {
	switch p {
	case Profile{"GOST512", "SIGNATURE"}:
		return "GOST512_"
	case Profile{"GOST256", "SIGNATURE"}:
		return "GOST256_"
	case Profile{"RSA2048", "SIGNATURE"}:
		return "RSA256_"
	case Profile{"RSA2048", "AUTHENTICATION"}:
		return "AUTH_RSA256_"
	}
	return ""
}

// Order is what to make: key pairs and their requests for one subject.
type Order struct {
	Origin    string
	RequestID string
	Profiles  []Profile
	Subject   pki.Holder // the e-mail address goes into the request, not into the name
	Folder    string     // chosen by the person; not part of what makes two orders equal
	Storage   string     // of a token's driver; empty: a file
	On        *Place     // the open token, of that storage; not part of what makes two orders equal
	// Password protects the pending files instead of the keeper's secret, so that they can be finished on another
	// computer; it is asked for then ([Keeper.InstallSealed]). Not part of what makes two orders equal.
	Password string
	Many     bool // the person agreed to more than [Keeper.Room] has: bounded by [MaxPendingMany]
}

// arguments is the digest by which a repeated order is recognised.
func (o Order) arguments() string {
	what := []any{o.Profiles, o.Subject}
	if o.Storage != "" {
		what = append(what, o.Storage)
	}
	b, _ := json.Marshal(what)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Made lists the keys of an origin and request id. None is nil, nil; other arguments under the same
// request id are request_id_used.
func (k *Keeper) Made(o Order) ([]Note, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.made(o)
}

func (k *Keeper) made(o Order) ([]Note, error) {
	var list []Note
	for _, n := range k.notes {
		if n.Origin != o.Origin || n.RequestID != o.RequestID || n.State == Left {
			continue
		}
		if n.Arguments != o.arguments() {
			return nil, failure("request_id_used", "request %s was made with other arguments", o.RequestID)
		}
		list = append(list, n)
	}
	return list, nil
}

// Foreign reports whether a path may be on another computer: on Windows even looking at it signs the person in
// there. What other systems call so is refused with it, and so is a path that Windows reads otherwise than it is written.
func Foreign(path string) bool {
	slash := func(i int) bool { return i < len(path) && (path[i] == '/' || path[i] == '\\') }
	return slash(0) && (slash(1) || len(path) > 1 && path[1] == '?') || odd(path)
}

// CheckFolder says whether key files can be put into a folder: it exists and is absolute.
func CheckFolder(folder string) error {
	info, err := os.Stat(folder)
	switch {
	case !filepath.IsAbs(folder):
		return failure("folder_unavailable", "not a whole path")
	case err != nil || !info.IsDir():
		return failure("folder_unavailable", "no such folder")
	}
	return nil
}

// Generate makes the key pairs of an order, or gives those it made before for the same order. When it
// returns, every pending file was written, synced, read back and opened. On a token the pairs are made inside; reasons
// there: storage_unavailable, also when the token has no mechanism for a profile ([ErrCannot]).
func (k *Keeper) Generate(o Order) ([]Note, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if before, err := k.made(o); err != nil || len(before) > 0 {
		return before, err
	}
	if o.Storage != "" {
		return k.onToken(o)
	}
	if err := CheckFolder(o.Folder); err != nil {
		return nil, err
	}
	if err := k.room(o); err != nil {
		return nil, err
	}
	if o.Password != "" {
		if err := pfx.CheckPassword(o.Password); err != nil {
			return nil, failure("password", "%w", err)
		}
	} else if err := k.unlock(); err != nil {
		return nil, failure("write_failed", "open the secret of pending keys: %w", err)
	}
	var notes []Note
	var files [][]byte
	for _, p := range o.Profiles {
		n, file, err := k.pair(o, p)
		if err != nil {
			return nil, err
		}
		notes, files = append(notes, n), append(files, file)
	}
	k.trim(len(notes))
	first := len(k.notes)
	k.notes = append(k.notes, notes...)
	err := k.save()
	for i := range notes {
		if err == nil {
			k.fault("pending " + o.Profiles[i].Algorithm)
			err = k.place(notes[i], files[i], o.Password)
		}
	}
	k.fault("pending written")
	if err == nil {
		for i := range notes {
			notes[i].State = Pending
		}
		copy(k.notes[first:], notes)
		err = k.save()
	}
	if err != nil {
		for _, n := range notes {
			_ = remove(filepath.Join(n.Folder, n.File))
		}
		k.notes = k.notes[:first]
		_ = k.save()
		return nil, failure("write_failed", "write pending keys: %w", err)
	}
	k.fault("pending noted")
	return notes, nil
}

// Room tells whether so many keys more may wait for one origin, of all [MaxPendingOrigin] and [MaxPending].
func (k *Keeper) Room(origin string, keys int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	own, all, _ := k.waiting(origin)
	return own+keys <= MaxPendingOrigin && all+keys <= MaxPending
}

// waiting counts the keys that wait: those of an origin, all, and apart from both those the person agreed to beyond the bounds.
func (k *Keeper) waiting(origin string) (own, all, many int) {
	for _, n := range k.notes {
		switch {
		case n.State == Finished || n.State == Left:
		case n.Many:
			many++
		default:
			all++
			if n.Origin == origin {
				own++
			}
		}
	}
	return own, all, many
}

func (k *Keeper) room(o Order) error {
	own, all, many := k.waiting(o.Origin)
	wait, n := all, len(o.Profiles)
	full := all+n > MaxPending || own+n > MaxPendingOrigin
	if o.Many {
		wait, full = many, many+n > MaxPendingMany
	}
	if full {
		return failure("too_many_pending", "%d keys wait for a certificate", wait)
	}
	return nil
}

// pair makes one key pair, its request and the bytes of its pending file.
func (k *Keeper) pair(o Order, p Profile) (Note, []byte, error) {
	if p.prefix() == "" {
		return Note{}, nil, failure("unsupported_profile", "%s %s", p.Algorithm, p.Usage)
	}
	var key crypto.Signer
	var err error
	switch p.Algorithm {
	case "GOST512":
		key, err = gost.GenerateKey(gost.TC26_512A(), k.random)
	case "GOST256":
		key, err = gost.GenerateKey(gost.TC26_256A(), k.random)
	default:
		key, err = rsa.GenerateKey(k.random, 2048)
	}
	if err != nil {
		return Note{}, nil, failure("write_failed", "make a key pair: %w", err)
	}
	n, err := k.noteOf(o, p, key)
	if err != nil {
		return Note{}, nil, err
	}
	secret := k.secret
	if o.Password != "" {
		secret = []byte(o.Password)
	}
	file, err := pfx.EncryptPrivateKey(k.random, key, secret)
	if err != nil {
		return Note{}, nil, failure("write_failed", "encrypt a pending key: %w", err)
	}
	n.Folder, n.File, n.Sealed = o.Folder, "PENDING_"+p.prefix()+n.KeyID+".p8", o.Password != ""
	return n, file, nil
}

// noteOf makes the request of a new key and notes what it is.
func (k *Keeper) noteOf(o Order, p Profile, key crypto.Signer) (Note, error) {
	template := pki.RequestTemplate{Subject: pki.SubjectName(o.Subject), Storage: pki.StorageOf(o.Storage)}
	if o.Subject.Email != "" {
		template.Emails = []string{o.Subject.Email}
	}
	request, err := pki.CreateRequest(k.random, key, template)
	if err != nil {
		return Note{}, failure("invalid_subject", "make a request: %w", err)
	}
	spki, err := algid.MarshalPublicKey(key.Public())
	if err != nil {
		return Note{}, failure("write_failed", "write a public key: %w", err)
	}
	return Note{
		KeyID: hex.EncodeToString(algid.KeyID(key.Public())), PublicKey: spki, Origin: o.Origin, RequestID: o.RequestID, Arguments: o.arguments(),
		Algorithm: p.Algorithm, Usage: p.Usage, Request: request, Made: k.now().UTC(), State: Making, Many: o.Many,
	}, nil
}

// place writes a pending file and opens it again.
func (k *Keeper) place(n Note, content []byte, password string) error {
	path := filepath.Join(n.Folder, n.File)
	if err := createPlain(path, content, 0o600); err != nil {
		return err
	}
	if err := syncDir(n.Folder); err != nil {
		return err
	}
	_, err := k.pending(n, password)
	return err
}

// pending opens the private key of a note; password is of a sealed one.
func (k *Keeper) pending(n Note, password string) (crypto.Signer, error) {
	secret := []byte(password)
	if !n.Sealed {
		if err := k.unlock(); err != nil {
			return nil, err
		}
		secret = k.secret
	}
	content, err := read(filepath.Join(n.Folder, n.File))
	if err != nil {
		return nil, err
	}
	key, err := pfx.DecryptPrivateKey(content, secret)
	if err != nil {
		return nil, err
	}
	spki, err := algid.MarshalPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(spki, n.PublicKey) {
		return nil, fmt.Errorf("%s holds another key", n.File)
	}
	return key, nil
}
