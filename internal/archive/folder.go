package archive

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"senim/internal/audit"
)

// Folder reads what was exported. It looks at names when it is opened and at contents when asked.
type Folder struct {
	dir      string
	segments map[string][]int64
}

// OpenFolder lists the nodes and segments of a folder. Files of other names are not looked at.
func OpenFolder(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read an audit export: %w", err)
	}
	f := &Folder{dir: dir, segments: map[string][]int64{}}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentEnd)
		dash := strings.LastIndexByte(name, '-')
		if !ok || dash < 1 {
			continue
		}
		node, err := url.PathUnescape(name[:dash])
		number, err2 := strconv.ParseInt(name[dash+1:], 10, 64)
		if err == nil && err2 == nil && segmentName(node, number) == e.Name() {
			f.segments[node] = append(f.segments[node], number)
		}
	}
	for _, numbers := range f.segments {
		slices.Sort(numbers)
	}
	return f, nil
}

// Nodes names every node of which there is a segment, sorted.
func (f *Folder) Nodes() (nodes []string) {
	for node := range f.segments {
		nodes = append(nodes, node)
	}
	slices.Sort(nodes)
	return nodes
}

// Segments are the numbers of a node's segments, which are those of their checkpoints, in order.
func (f *Folder) Segments(node string) []int64 { return f.segments[node] }

// Key is the public key that was exported for a node. Whoever changes the folder can change it too.
func (f *Folder) Key(node string) (*audit.Verifier, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, keyName(node)))
	if err != nil {
		return nil, fmt.Errorf("read an audit export: %w", err)
	}
	return audit.ParsePublicKey(b)
}

// Read calls record for each record of a segment in order and returns its checkpoint, which is its
// last line.
func (f *Folder) Read(node string, number int64, record func(audit.Record) error) (s audit.Statement, err error) {
	name := segmentName(node, number)
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return s, fmt.Errorf("read an audit export: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for r := audit.NewReader(file); ; {
		l, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			if s.Note == nil {
				return s, fmt.Errorf("%s: it does not end with a checkpoint", name)
			}
			return s, nil
		case err != nil:
			return s, fmt.Errorf("%s: %w", name, err)
		case s.Note != nil:
			return s, fmt.Errorf("%s: something stands after its checkpoint", name)
		case l.Statement != nil:
			s = *l.Statement
		default:
			if err := record(*l.Record); err != nil {
				return s, err
			}
		}
	}
}
