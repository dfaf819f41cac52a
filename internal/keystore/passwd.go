package keystore

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"

	"senim/pfx"
)

// ErrSamePassword says that the new password is the old one.
var ErrSamePassword = errors.New("the new password is the old one")

// ErrSeveralPasswords says that a key in a Java key store has a password of its own.
var ErrSeveralPasswords = errors.New("a key in the store has another password")

// OldName is where [ChangePassword] keeps the file with the old password.
func OldName(path string) string { return path + ".old" }

// ChangePassword writes a key file again under another password, in the form it had. The old file is
// kept beside, as [OldName] says, where no other may stand (fs.ErrExist); the new one takes its place in
// one step and is opened there. A kill at any moment leaves a whole file under the name, and the old
// one somewhere; the same call goes on from there. Of a Java key store every key and the store itself change. Errors
// beside those of files: [ErrPassword], [ErrSamePassword], [ErrSeveralPasswords], those of [pfx.CheckPassword].
func ChangePassword(path, old, password string) error {
	if err := pfx.CheckPassword(password); err != nil {
		return err
	}
	if old == password {
		return ErrSamePassword
	}
	content, err := read(path)
	if err != nil {
		return err
	}
	changed, same, err := rewrite(content, old, password)
	if errors.Is(err, pfx.ErrPassword) && wasChanged(path, content, old, password) {
		return nil
	}
	if err != nil {
		return wrongPassword(err)
	}
	if err := same(changed); err != nil {
		return err
	}
	fault("password: new file ready")
	if err := keepOld(path, content); err != nil {
		return fmt.Errorf("keep the old file: %w", err)
	}
	fault("password: old file kept")
	if err := Replace(path, changed); err != nil {
		return err
	}
	fault("password: new file in place")
	written, err := read(path)
	if err == nil {
		err = same(written)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("read the new file back: %w", err), Replace(path, content))
	}
	return nil
}

// keepOld puts the old file beside; the same one may stand there already, of a change that was killed.
func keepOld(path string, content []byte) error {
	err := Create(OldName(path), content, 0o600)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if kept, unread := read(OldName(path)); unread != nil || !bytes.Equal(kept, content) {
		return err
	}
	return nil
}

// wasChanged tells whether this very change was made before, up to its last step: the new password opens the file,
// and the old one opens the same key beside it.
func wasChanged(path string, content []byte, old, password string) bool {
	kept, err := read(OldName(path))
	if err != nil {
		return false
	}
	_, same, err := rewrite(kept, old, password)
	return err == nil && same(content) == nil
}

// rewrite gives a key file under another password, and what tells whether a file holds the same keys under it.
func rewrite(content []byte, old, password string) (changed []byte, same func([]byte) error, err error) {
	if isJKS(content) {
		return rewriteJKS(content, old, password)
	}
	file, err := pfx.Decode(content, old)
	if err != nil {
		return nil, nil, err
	}
	changed, err = pfx.Encode(rand.Reader, *file, password, formOf(content))
	return changed, func(b []byte) error { return opens(b, password, file) }, err
}

// opens checks that a key file holds the same key and certificate under a password.
func opens(content []byte, password string, want *pfx.File) error {
	got, err := pfx.Decode(content, password)
	if err != nil {
		return err
	}
	pub, ok := got.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(want.Key.Public()) || !bytes.Equal(got.Certificate.Raw, want.Certificate.Raw) {
		return errors.New("the new file holds another key")
	}
	return nil
}

// formOf tells the form of a key file by the identifier of PBES2, which stands in the clear.
func formOf(content []byte) pfx.Form {
	if bytes.Contains(content, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d}) {
		return pfx.Modern
	}
	return pfx.NCA
}
