package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Secret reads a passphrase or a key from a file of at most 64 KiB, without the white space around it,
// and refuses one that others of the machine may read or change. When it may be made and is not there,
// 32 random bytes are written in hex, for the owner only; made says so.
func Secret(path string, mayMake bool) (secret []byte, made bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && mayMake {
		secret, err = makeSecret(path)
		return secret, err == nil, err
	}
	if err != nil {
		return nil, false, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, false, fmt.Errorf("%s may be read or changed by others (mode %o): chmod 600 it", path, info.Mode().Perm())
	}
	if info.Size() > maxFile {
		return nil, false, fmt.Errorf("%s has %d bytes", path, info.Size())
	}
	b, err := os.ReadFile(path)
	return bytes.TrimSpace(b), false, err
}

func makeSecret(path string) ([]byte, error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: crypto/rand
	text := []byte(hex.EncodeToString(random))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(append(text, '\n'))
	return text, errors.Join(err, f.Sync(), f.Close())
}
