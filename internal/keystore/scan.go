package keystore

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of a scan.
const (
	maxFiles  = 1000            // key files, of all folders
	maxWalked = 50_000          // whatever stands in one folder and those inside it
	maxDepth  = 3               // folders inside
	scanTime  = 3 * time.Second // of all folders; one that does not answer is left out
	atOnce    = 256             // entries read in one piece
)

// Scanner looks for key files in folders, of which some may be huge, slow, or on a disk that does not answer any more:
// none of them holds up the others. The zero value is ready. Safe for concurrent use.
type Scanner struct {
	// Open opens a folder; nil is os.Open.
	Open func(folder string) (*os.File, error)

	most int // entries of a folder; 0 is maxWalked: tests have smaller disks

	mu   sync.Mutex
	slow map[string]*walk // under mu, by folder: begun, and not ended in time
}

// Scanned is what a [Scanner] found.
type Scanned struct {
	Files []File
	Cut   []string // folders that hold more than is looked through
	Away  []string // folders that did not answer in time
}

// walk is one look through a folder; what it found is there after done.
type walk struct {
	done  chan struct{}
	files []File
	cut   bool
}

// Scan lists the key files (.p12, .pfx, .jks) in the folders, three levels deep, newest first and those with a flaw last, within three seconds. What
// cannot be read is left out: a folder on a stick that is not plugged in is no error. Links inside them are not followed.
// What a slow folder gives in the end is found by a later scan.
func (s *Scanner) Scan(folders []string) Scanned {
	var out Scanned
	walks := make([]*walk, len(folders))
	for i, folder := range folders {
		walks[i] = s.begin(filepath.Clean(folder))
	}
	late := time.NewTimer(scanTime)
	defer late.Stop()
	over := false
	found := map[string]*File{}
	for i, w := range walks {
		folder := filepath.Clean(folders[i])
		if w != nil && !over {
			select {
			case <-w.done:
			case <-late.C:
				over = true
			}
		}
		if w == nil || !w.ended() {
			s.tooSlow(folder, w)
			out.Away = append(out.Away, folder)
			continue
		}
		if w.join(found) || w.cut {
			out.Cut = append(out.Cut, folder)
		}
	}
	for _, f := range found {
		out.Files = append(out.Files, inStore(f)...)
	}
	slices.SortFunc(out.Files, func(a, b File) int {
		return cmp.Or(cmp.Compare(min(len(a.Flaw), 1), min(len(b.Flaw), 1)), b.Modified.Compare(a.Modified), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Entry, b.Entry))
	})
	return out
}

// Scan is [Scanner.Scan] of one that knows no slow folders.
func Scan(folders []string) []File { return new(Scanner).Scan(folders).Files }

// Stamp changes when a folder comes, goes, or gets or loses a file, or when one that did not answer has. What happens in
// folders deeper inside is not seen.
func (s *Scanner) Stamp(folders []string) string {
	h := sha256.New()
	for _, folder := range folders {
		_, _ = fmt.Fprintf(h, "%q %s\n", folder, s.stamp(filepath.Clean(folder))) // it never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Scanner) stamp(folder string) string {
	s.mu.Lock()
	w := s.slow[folder]
	s.mu.Unlock()
	if w != nil {
		return fmt.Sprintf("slow, ended %v", w.ended())
	}
	w = &walk{done: make(chan struct{})}
	changed := int64(0)
	go func() {
		defer close(w.done)
		if f, err := s.open(folder); err == nil {
			if info, err := f.Stat(); err == nil {
				changed = info.ModTime().UnixNano()
			}
			_ = f.Close() // it was only looked at
		}
	}()
	late := time.NewTimer(scanTime / 3)
	defer late.Stop()
	select {
	case <-w.done:
		return fmt.Sprint(changed)
	case <-late.C:
		return "slow, ended false"
	}
}

func (s *Scanner) open(folder string) (*os.File, error) {
	if s.Open != nil {
		return s.Open(folder)
	}
	return os.Open(folder)
}

// begin begins a walk, or gives the one before that ended late; nil while that goes on: nobody waits for a folder twice.
func (s *Scanner) begin(folder string) *walk {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.slow[folder]; w != nil {
		if !w.ended() {
			return nil
		}
		delete(s.slow, folder)
		return w
	}
	w := &walk{done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.through(folder, s.open, cmp.Or(s.most, maxWalked))
	}()
	return w
}

// tooSlow keeps a walk that did not end in time, until it has; w may be nil, when one is kept.
func (s *Scanner) tooSlow(folder string, w *walk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w == nil || s.slow[folder] != nil {
		return
	}
	if s.slow == nil {
		s.slow = map[string]*walk{}
	}
	s.slow[folder] = w
}

func (w *walk) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// join adds what was found to what is found elsewhere; a file with the same content is a copy. True: there was no room.
func (w *walk) join(found map[string]*File) (full bool) {
	for _, f := range w.files {
		switch first := found[f.ID]; {
		case first != nil:
			for _, path := range append([]string{f.Path}, f.Copies...) {
				if path != first.Path && !slices.Contains(first.Copies, path) {
					first.Copies = append(first.Copies, path)
				}
			}
		case len(found) >= maxFiles:
			full = true
		default:
			found[f.ID] = &f
		}
	}
	return full
}

// through looks through a folder, those nearest to its top first.
func (w *walk) through(named string, open func(string) (*os.File, error), left int) {
	root := named // a folder the person named may be a link, as one on another disk; what is in it may not
	if real, err := filepath.EvalSymlinks(named); err == nil {
		root = real
	}
	asKnown := func(path string) string { // by the person
		if rel, err := filepath.Rel(root, path); err == nil {
			return filepath.Join(named, rel)
		}
		return path
	}
	var paths []string
	if info, err := os.Lstat(root); err == nil && info.Mode().IsRegular() && isKeyName(root) {
		paths = append(paths, root)
	}
	level := []string{root}
	for depth := 0; len(level) > 0 && depth <= maxDepth; depth++ {
		var inside []string
		for _, folder := range level {
			err := readFolder(folder, open, func(e fs.DirEntry) bool {
				path := filepath.Join(folder, e.Name())
				if e.IsDir() {
					inside = append(inside, path)
				} else if isKeyName(path) {
					paths = append(paths, path)
				}
				left--
				return left > 0
			})
			if errors.Is(err, fs.SkipAll) {
				w.cut, depth = true, maxDepth
				break
			}
		}
		level = inside
	}
	slices.Sort(paths)
	if len(paths) > maxFiles {
		paths, w.cut = paths[:maxFiles], true
	}
	at := map[string]int{}
	for _, path := range paths {
		f, err := keyFileAt(path, asKnown(path))
		if err != nil {
			continue
		}
		if i, known := at[f.ID]; known {
			w.files[i].Copies = append(w.files[i].Copies, f.Path)
			continue
		}
		at[f.ID] = len(w.files)
		w.files = append(w.files, f)
	}
}

// readFolder reads a folder in pieces, until told to stop (fs.SkipAll).
func readFolder(folder string, open func(string) (*os.File, error), each func(fs.DirEntry) bool) error {
	f, err := open(folder)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	for {
		list, err := f.ReadDir(atOnce)
		for _, e := range list {
			if !each(e) {
				return fs.SkipAll
			}
		}
		if err != nil {
			return err
		}
	}
}

func isKeyName(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".p12", ".pfx", ".jks":
		return true
	}
	return false
}

// keyFileAt reads one key file; shown is the path as the person knows it.
func keyFileAt(path, shown string) (File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return File{}, err
	}
	content, err := read(path)
	if err != nil {
		return File{}, err
	}
	storage, keys := PKCS12, []string(nil)
	if isJKS(content) {
		storage, keys = JKS, aliasesOf(content)
	}
	name := filepath.Base(shown)
	return File{Storage: storage, keys: keys, ID: contentID(content), Path: shown, Name: name, Kind: KindOf(name), Modified: info.ModTime(), Flaw: flawOf(content)}, nil
}
