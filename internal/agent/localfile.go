package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxLocal bounds a file that is signed or verified where it lies.
const maxLocal = 64 << 20

// Why a path that a page named is not read. The code is also the end of the text's name.
var (
	errNoFile    = errors.New("no-file")
	errNotPlain  = errors.New("not-plain") // a link, a device, a folder, another machine
	errOwnData   = errors.New("own-data")
	errKeyFile   = errors.New("key-file")
	errTooLarge  = errors.New("too-large")
	errNotCopied = errors.New("not-copied")      // the disk is full, say
	errNotWanted = errors.New("action.canceled") // the person said no
)

// local is a file of the person's machine, looked at but not read.
type local struct {
	path string // with the links of its folder followed
	info os.FileInfo
}

// locate looks at a path that a page named. Nothing it finds out is told to the page before the person
// has seen the path.
func (a *Agent) locate(path string) (local, error) {
	// The name of another machine is not even looked at: looking would sign the person in there.
	if keystore.Foreign(path) || !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		return local{}, errNotPlain
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(filepath.Clean(path)))
	if err != nil {
		return local{}, errNoFile
	}
	l := local{path: filepath.Join(folder, filepath.Base(filepath.Clean(path)))}
	if l.info, err = os.Lstat(l.path); err != nil {
		return l, errNoFile
	}
	_ = os.SameFile(l.info, l.info) // on Windows the file's number is asked for when it is first compared: that is now
	switch {
	case !l.info.Mode().IsRegular():
		return l, errNotPlain
	case a.own(folder):
		return l, errOwnData
	}
	return l, nil
}

// own tells whether a folder is the agent's, or in it.
func (a *Agent) own(folder string) bool {
	data, err := os.Stat(a.config.Data)
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	return err != nil || under(folder, data) // what cannot be told is refused
}

// under tells whether a folder is another, or in it. It asks the disk and not the letters: disks that ignore their case
// have many names for one folder. What it cannot look at may be anything.
func under(folder string, top os.FileInfo) bool {
	for {
		info, err := os.Stat(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && os.SameFile(info, top) {
			return true
		}
		up := filepath.Dir(folder)
		if up == folder {
			return false
		}
		folder = up
	}
}

// document reads a file that a page may have signed or verified: any but a key.
func (l local) document() ([]byte, error) {
	f, err := l.open(maxLocal)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxLocal+1))
	switch {
	case err != nil:
		return nil, errNoFile
	case int64(len(content)) > maxLocal:
		return nil, errTooLarge
	}
	return content, nil
}

// open opens such a file.
func (l local) open(most int64) (*os.File, error) {
	if slices.Contains([]string{".p12", ".pfx", ".jks", ".p8", ".key"}, strings.ToLower(filepath.Ext(l.path))) {
		return nil, errKeyFile
	}
	f, err := os.Open(l.path)
	if err != nil {
		return nil, errNoFile
	}
	good := false
	defer func() {
		if !good {
			_ = f.Close() // it was only looked at
		}
	}()
	now, err := f.Stat()
	if err != nil || !os.SameFile(now, l.info) {
		return nil, errNotPlain // something else stands there since it was shown
	}
	if now.Size() > most {
		return nil, errTooLarge
	}
	switch key, err := holdsKey(f, now.Size()); {
	case err != nil:
		return nil, errNoFile
	case key:
		return nil, errKeyFile
	}
	good = true
	return f, nil
}

// keyMarks stand in texts that hold private keys: PEM, OpenSSH, PGP, PuTTY.
var keyMarks = [][]byte{[]byte("PRIVATE KEY-----"), []byte("PRIVATE KEY BLOCK-----"), []byte("PuTTY-User-Key-File-")}

// holdsKey knows files of private keys under any name and wherever the key stands: texts, Java key stores, PKCS #12, and
// the DER forms of one key.
func holdsKey(f io.ReaderAt, size int64) (bool, error) {
	const piece, overlap = 64 << 10, 32
	buffer := make([]byte, min(size, piece))
	for at := int64(0); at < size; at += piece - overlap {
		n, err := f.ReadAt(buffer, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		part := buffer[:n]
		if slices.ContainsFunc(keyMarks, func(mark []byte) bool { return bytes.Contains(part, mark) }) {
			return true, nil
		}
		if at == 0 && (bytes.HasPrefix(part, []byte("\xfe\xed\xfe\xed")) || bytes.HasPrefix(part, []byte("\xce\xce\xce\xce")) || keyBag(part) || derKey(part)) { // JKS, JCEKS
			return true, nil
		}
	}
	return false, nil
}

// derKey tells PrivateKeyInfo (RFC 5208), EncryptedPrivateKeyInfo (PBES2 or PKCS #12's), RSAPrivateKey (RFC 8017) and
// ECPrivateKey (RFC 5915) by their first members.
func derKey(content []byte) bool {
	var body, first cryptobyte.String
	var tag asn1.Tag
	s := cryptobyte.String(content)
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadAnyASN1(&first, &tag) {
		return false
	}
	switch tag { //nolint:exhaustive // others are no keys
	case asn1.INTEGER: // version, then an algorithm, a modulus or an octet string
		return len(first) == 1 && first[0] <= 1 && (octetsFollow(body) || integers(body) >= 8 || body.PeekASN1Tag(asn1.OCTET_STRING))
	case asn1.SEQUENCE:
		var scheme cryptobyte.String
		return first.ReadASN1(&scheme, asn1.OBJECT_IDENTIFIER) && isPassword(scheme) && body.PeekASN1Tag(asn1.OCTET_STRING)
	}
	return false
}

func octetsFollow(body cryptobyte.String) bool {
	return body.SkipASN1(asn1.SEQUENCE) && body.PeekASN1Tag(asn1.OCTET_STRING)
}

func integers(body cryptobyte.String) (n int) {
	for body.SkipASN1(asn1.INTEGER) {
		n++
	}
	return n
}

// isPassword tells the schemes of PKCS #5 and PKCS #12 (1.2.840.113549.1.5 and .1.12.1).
func isPassword(scheme []byte) bool {
	return bytes.HasPrefix(scheme, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05}) || bytes.HasPrefix(scheme, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01})
}

// keyBag tells a PKCS #12 file under another name: SEQUENCE { version 3, …
func keyBag(content []byte) bool {
	at := bytes.Index(content[:min(len(content), 16)], []byte{0x02, 0x01, 0x03, 0x30})
	return len(content) > 0 && content[0] == 0x30 && (at == 2 || at >= 3 && at == 2+int(content[1]&0x7f) && content[1]&0x80 != 0)
}

// readLocal reads a file that a page named, after the person has seen its full path, size and type. A
// file the person picked in our chooser on this connection was seen already.
func (t *talk) readLocal(ctx context.Context, path string, window lang.Tag) (string, []byte, error) {
	l, err := t.agent.locate(path)
	if err == nil && !t.picked[l.path] {
		if out := t.agent.show(ctx, t.site, window, reading{l}); !out.done {
			return "", nil, errNotWanted
		}
	}
	var content []byte
	if err == nil {
		content, err = l.document()
	}
	if err != nil {
		if out := t.agent.show(ctx, t.site, window, refused{window.Text("agent.refused.file-" + err.Error()), path}); out.err == nil {
			err = errNotWanted // no window was shown or answered: the page hears what it would hear of any path
		}
		return "", nil, err
	}
	return l.path, content, nil
}

// reading is the consent to read one file.
type reading struct{ file local }

func (reading) kind() string { return "read" }
func (reading) wish() wish   { return wish{} }

func (t reading) show(w *window, v *View) { v.Facts = t.file.facts(w.lang) }

func (l local) facts(tag lang.Tag) []Pair {
	kind := strings.TrimPrefix(filepath.Ext(l.path), ".")
	if kind == "" {
		kind = tag.Text("agent.file.no-type")
	}
	return []Pair{
		{tag.Text("agent.file.name"), filepath.Base(l.path)}, {tag.Text("agent.file.folder"), filepath.Dir(l.path)},
		{tag.Text("agent.file.size"), tag.Text("agent.file.bytes", "n", l.info.Size())}, {tag.Text("agent.file.type"), kind},
	}
}

func (reading) decide(context.Context, *window, Decision) (outcome, *Problem) {
	return outcome{done: true}, nil
}
