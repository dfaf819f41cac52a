package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"senim/internal/keystore"
)

// recaller keeps passwords the person asked to keep, in the system's keychain alone. Which files have one
// is written down by digest, so that a window need not open the keychain to know.
type recaller struct {
	chain  keystore.Keychain // nil: nothing is ever kept
	path   string
	unread error // the list is there and could not be read

	mu   sync.Mutex
	kept []string // under mu: digests of files
}

func rememberedIn(data string) string { return filepath.Join(data, "remembered.json") }

// openRecaller reads which passwords are kept. After an error those are known whose names could be read all the same.
func openRecaller(chain keystore.Keychain, path string) (*recaller, error) {
	r := &recaller{chain: chain, path: path}
	b, err := keystore.ReadFile(path)
	if chain == nil || errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if toldNothing(err) {
		r.unread = err
		return r, err
	}
	if err == nil {
		err = json.Unmarshal(b, &r.kept)
	}
	if err == nil {
		return r, nil
	}
	// The passwords are in the keychain all the same: what names can still be read are kept, and can be forgotten.
	r.kept = nil
	for _, id := range fileDigest.FindAllString(string(b), -1) {
		if !slices.Contains(r.kept, id) {
			r.kept = append(r.kept, id)
		}
	}
	return r, err
}

// mend keeps a broken list beside, and writes what could be read of it; one that may be read later it leaves alone.
func (r *recaller) mend() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unread != nil {
		return r.unread
	}
	if err := keystore.SetAside(r.path); err != nil {
		return err
	}
	return r.write()
}

// fileDigest is the name of a key file in the list.
var fileDigest = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

// passwordName names the password of a key file in the keychain.
func passwordName(id string) string { return "password of the key file " + id }

func (r *recaller) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.chain != nil && slices.Contains(r.kept, id)
}

func (r *recaller) keep(id, password string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.chain == nil {
		return keystore.ErrNoKeychain
	}
	if err := r.chain.Set(passwordName(id), password); err != nil {
		return err
	}
	if !slices.Contains(r.kept, id) {
		r.kept = append(r.kept, id)
	}
	return r.write()
}

func (r *recaller) recall(id string) (string, error) {
	if !r.has(id) {
		return "", keystore.ErrNoSecret
	}
	return r.chain.Get(passwordName(id))
}

// forget removes a password from the keychain; that there is none is no error.
func (r *recaller) forget(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.chain == nil || !slices.Contains(r.kept, id) {
		return nil
	}
	if err := r.chain.Delete(passwordName(id)); err != nil && !errors.Is(err, keystore.ErrNoSecret) {
		return err
	}
	r.kept = slices.DeleteFunc(r.kept, func(s string) bool { return s == id })
	return r.write()
}

// forgetAll removes every password from the keychain.
func (r *recaller) forgetAll() error {
	r.mu.Lock()
	all := slices.Clone(r.kept)
	r.mu.Unlock()
	var failed []error
	for _, id := range all {
		failed = append(failed, r.forget(id))
	}
	return errors.Join(failed...)
}

func (r *recaller) write() error {
	b, err := json.Marshal(r.kept)
	if err != nil {
		return err
	}
	return keystore.Replace(r.path, b)
}

// forget drops what is kept of a key file's password.
func (a *Agent) forget(id string) {
	if err := a.recaller.forget(id); err != nil {
		a.log.Warn("a password stays in the keychain", "err", err)
	}
}

// unlocking is the body of POST /unlock.
type unlocking struct {
	ID         string `json:"id"`
	Password   string `json:"password"`
	Brief      bool   `json:"brief"`
	Remember   bool   `json:"remember"`   // keep the password in the system's keychain
	Remembered bool   `json:"remembered"` // take the one kept there
}

// openFile opens a key as the person wishes: by what was typed, or by what the keychain kept.
func (w *window) openFile(f keystore.File, in *unlocking) (*keystore.Key, error) {
	if in.Remembered {
		var err error
		if in.Password, err = w.agent.recaller.recall(f.ID); err != nil {
			return nil, err
		}
	}
	key, err := keystore.Unlock(f, in.Password)
	switch {
	case errors.Is(err, keystore.ErrPassword) && in.Remembered:
		w.agent.forget(f.ID)
	case err == nil && in.Remember && !in.Remembered && f.Certificate() == nil: // a PIN is never kept
		if err := w.agent.recaller.keep(f.ID, in.Password); err != nil {
			w.agent.log.Warn("a password was not kept", "err", err)
		}
	}
	return key, err
}

// forgetPassword answers POST /forget.
func (w *window) forgetPassword(rw http.ResponseWriter, body []byte) {
	var in struct {
		ID string `json:"id"`
	}
	if !read(rw, body, &in) {
		return
	}
	if _, ok := w.file(in.ID); !ok {
		w.problem(rw, "no_such_key", "")
		return
	}
	if err := w.agent.recaller.forget(in.ID); err != nil {
		w.problem(rw, "no_keychain", "")
		return
	}
	reply(rw, http.StatusOK, struct {
		View View `json:"view"`
	}{w.view()})
}

// forgetSecrets takes what an agent with this data folder kept in the keychain out of it: passwords, the key of
// its list of certificates, the secret of pending keys. For uninstalling; the agent must not run.
func forgetSecrets(data string, chain keystore.Keychain) error {
	if chain == nil {
		return nil
	}
	var failed []error
	r, err := openRecaller(chain, rememberedIn(data))
	if err != nil { // the other secrets go all the same
		failed = append(failed, fmt.Errorf("read which passwords are kept: %w", err))
	}
	failed = append(failed, r.forgetAll())
	for _, name := range []string{indexSecret, keystore.SecretName(pendingIn(data))} {
		if err := chain.Delete(name); err != nil && !errors.Is(err, keystore.ErrNoSecret) && !errors.Is(err, keystore.ErrNoKeychain) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// PendingFolder is the name, in the data folder, of the folder with the notes of keys that wait for their
// certificates.
const PendingFolder = "pending"

func pendingIn(data string) string { return filepath.Join(data, PendingFolder) }
