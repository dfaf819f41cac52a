package batchfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Names and format of a batch.
const (
	ManifestName = "manifest.json"
	Format       = "senim-registry/1"
)

// File is a file of a batch as its manifest describes it.
type File struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Kind is what records the file holds: one of [Kinds].
func (f File) Kind() string { return strings.TrimSuffix(f.Name, path.Ext(f.Name)) }

// Manifest describes a batch.
type Manifest struct {
	Source string
	Full   bool
	AsOf   time.Time
	// Previous is the AsOf of the batch this one follows; zero when it does not say.
	Previous time.Time
	Files    []File

	// Raw is the manifest to the byte, which is what Signature signs, detached; without a signature it is nil.
	Raw, Signature []byte
}

// SHA256 is the hash of the manifest, in hex: it names the batch.
func (m Manifest) SHA256() string {
	sum := sha256.Sum256(m.Raw)
	return hex.EncodeToString(sum[:])
}

// ParseManifest reads a manifest, without its signature: the name of that file is returned.
func ParseManifest(raw []byte) (m Manifest, signature string, err error) {
	refuse := func(why error) error { return &Error{Code: CodeManifest, File: ManifestName, Err: why} }
	var in struct {
		Format    string `json:"format"`
		Source    string `json:"source"`
		Kind      string `json:"kind"`
		AsOf      string `json:"as_of"`
		Previous  string `json:"previous"`
		Files     []File `json:"files"`
		Signature string `json:"signature"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Manifest{}, "", refuse(errors.New("not the JSON of a manifest")) // the decoder's words repeat what stands there
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Manifest{}, "", refuse(errors.New("something follows the manifest"))
	}
	m = Manifest{Source: in.Source, Full: in.Kind == "full", Files: in.Files, Raw: raw}
	switch {
	case in.Format != Format:
		return Manifest{}, "", refuse(fmt.Errorf("the format is not %s", Format))
	case in.Kind != "full" && in.Kind != "delta":
		return Manifest{}, "", refuse(errors.New("kind is full or delta"))
	case len(in.Files) == 0:
		return Manifest{}, "", refuse(errors.New("no files"))
	case !plainName(in.Source):
		return Manifest{}, "", refuse(errors.New("no source"))
	}
	for _, t := range []struct {
		text string
		to   *time.Time
		need bool
	}{{in.AsOf, &m.AsOf, true}, {in.Previous, &m.Previous, false}} {
		if t.text == "" && !t.need {
			continue
		}
		if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil {
			return Manifest{}, "", refuse(errors.New("as_of and previous are moments of RFC 3339"))
		}
	}
	seen := map[string]bool{}
	for _, f := range in.Files {
		ext := path.Ext(f.Name)
		sum, err := hex.DecodeString(f.SHA256)
		switch {
		case !slices.Contains(Kinds(), f.Kind()) || ext != ".csv" && ext != ".jsonl", seen[f.Kind()]:
			return Manifest{}, "", &Error{Code: CodeFile, File: shown(f.Name)}
		case err != nil || len(sum) != sha256.Size || f.Rows < 0:
			return Manifest{}, "", refuse(errors.New("a file needs its rows and its sha256"))
		}
		seen[f.Kind()] = true
	}
	if in.Signature != "" && !plainName(in.Signature) {
		return Manifest{}, "", refuse(errors.New("signature is the name of a file beside the manifest"))
	}
	return m, in.Signature, nil
}

// plainName: letters, digits, dots, dashes and underscores, no path.
func plainName(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '.' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

// shown is a name somebody else wrote, when it can be shown: short, and with no digits, which may be anybody's.
func shown(s string) string {
	if !plainName(s) || strings.ContainsAny(s, "0123456789") {
		return ""
	}
	return s
}

// Batch is an opened batch: its manifest is read, its files are not.
type Batch struct {
	Manifest
	fsys   fs.FS
	bounds Bounds
}

// Open reads the manifest of a folder or a zip, with its signature.
func Open(fsys fs.FS, b Bounds) (*Batch, error) {
	b = b.orUsual()
	raw, err := whole(fsys, ManifestName, CodeManifest, b.Manifest)
	if err != nil {
		return nil, err
	}
	m, signature, err := ParseManifest(raw)
	if err != nil {
		return nil, err
	}
	if signature != "" {
		if m.Signature, err = whole(fsys, signature, CodeFile, b.Manifest); err != nil {
			return nil, err
		}
	}
	return &Batch{m, fsys, b}, nil
}

func whole(fsys fs.FS, name, code string, bound int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, &Error{Code: code, File: name, Err: err}
	}
	defer func() { _ = f.Close() }() // read only
	b, err := io.ReadAll(io.LimitReader(f, bound+1))
	switch {
	case err != nil:
		return nil, &Error{Code: code, File: name, Err: err}
	case int64(len(b)) > bound:
		return nil, &Error{Code: CodeTooBig, File: name}
	}
	return b, nil
}
