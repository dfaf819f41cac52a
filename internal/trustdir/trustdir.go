// Package trustdir reads a folder of trusted authorities: trust is configuration.
//
// [Load] takes every certificate in the folder (*.cer, *.crt, *.der, *.pem; DER, PEM or base64);
// [Trust.Add] takes one that was read in another way. [Certificates] reads those that are trusted one by one, as the
// keys that may sign an answer.
// A certificate that signs itself is an anchor, any other authority is an intermediate; an
// intermediate without its root is of no use, and people who want to trust one alone say so by
// configuration elsewhere. It refuses a folder with a file it cannot read, a certificate that is
// not an authority's, and a root whose own signature does not verify: a trust folder with a mistake
// in it is a mistake to be told, not to be guessed around. Revocation lists laid beside are read by
// package revocation.
package trustdir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"senim/pki"
)

// maxFile bounds one file, in bytes, and maxFiles their number.
const (
	maxFile  = 1 << 20
	maxFiles = 1000
)

// Trust is what a folder holds. Filling it is one goroutine's work; after that anybody may read it.
type Trust struct {
	Pool *pki.Pool
	// Authorities are all certificates, anchors first, then in the order they came.
	Authorities []*pki.Certificate
	// Anchors is how many of them are anchors.
	Anchors int
}

// New makes a Trust that trusts nothing yet.
func New() *Trust { return &Trust{Pool: pki.NewPool()} }

// Add takes one more authority: an anchor when it signs itself, else an intermediate.
func (t *Trust) Add(c *pki.Certificate) error {
	if !c.IsCA {
		return errors.New("not the certificate of an authority")
	}
	if !bytes.Equal(c.RawIssuer, c.RawSubject) {
		t.Pool.AddIntermediate(c)
		t.Authorities = append(t.Authorities, c)
		return nil
	}
	if err := c.CheckSignatureFrom(c); err != nil {
		return fmt.Errorf("signature of the root: %w", err)
	}
	t.Pool.AddRoot(c)
	t.Authorities = slices.Insert(t.Authorities, t.Anchors, c)
	t.Anchors++
	return nil
}

// AddTo has a pool trust the same, beside what it trusts.
func (t *Trust) AddTo(pool *pki.Pool) {
	for i, c := range t.Authorities {
		if i < t.Anchors {
			pool.AddRoot(c)
		} else {
			pool.AddIntermediate(c)
		}
	}
}

// Load reads the folder. A folder without certificates gives a pool that trusts nothing.
func Load(dir string) (*Trust, error) {
	paths, err := files(dir)
	if err != nil {
		return nil, fmt.Errorf("read trust folder: %w", err)
	}
	t := New()
	for _, path := range paths {
		found, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("read trust folder: %s: %w", path, err)
		}
		for _, c := range found {
			if err := t.Add(c); err != nil {
				return nil, fmt.Errorf("read trust folder: %s: %w", path, err)
			}
		}
	}
	return t, nil
}

// Certificates reads the certificates that are trusted one by one, whoever issued them: those of a file, whatever its
// name, or of a folder. It refuses a place that has none.
func Certificates(path string) (all []*pki.Certificate, err error) {
	paths := []string{path}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		paths, err = files(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	for _, one := range paths {
		found, err := read(one)
		if err != nil {
			return nil, fmt.Errorf("read certificates: %s: %w", one, err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("read certificates: %s has none", path)
	}
	return all, nil
}

// files are the paths of the certificates in a folder, by name.
func files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // in the order of names
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".cer", ".crt", ".der", ".pem":
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	if len(paths) > maxFiles {
		return nil, fmt.Errorf("%d files are more than %d", len(paths), maxFiles)
	}
	return paths, nil
}

func read(path string) ([]*pki.Certificate, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, errors.New("not a file of a certificate's size")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	blocks, err := pki.Decode(data)
	if err != nil {
		return nil, err
	}
	var found []*pki.Certificate
	for _, b := range blocks {
		c, err := pki.ParseCertificate(b.DER)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}
