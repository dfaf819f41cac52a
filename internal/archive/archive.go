// Package archive keeps the audit where the authority's own machine cannot change it: a folder on
// write-once storage, a server that takes PUT, or a program, such as a printer's.
//
// [Open] makes a [Sink] from one line of configuration; [Shipper] sends every checkpoint with the
// records before it, in order, one file each, and says how far it is behind. [OpenFolder] reads such a
// folder again. Nothing is ever written over: a file that is there and differs is an error.
package archive

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"senim/internal/audit"
)

// Sink takes files for good.
type Sink interface {
	// Put returns when the file is kept. The same file again is no error, another under the name is.
	Put(ctx context.Context, name string, data []byte) error
}

// Open makes a sink: the path of a folder that exists, an http or https URL under which files are PUT,
// or "exec:PROGRAM ARGUMENT…" whose standard input gets each file.
func Open(target string) (Sink, error) {
	if line, ok := strings.CutPrefix(target, "exec:"); ok {
		words := strings.Fields(line)
		if len(words) == 0 {
			return nil, fmt.Errorf("audit export: exec: names no program")
		}
		return command{words}, nil
	}
	if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") {
		u, err := url.Parse(target)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("audit export: the URL cannot be read")
		}
		return web{u, &http.Client{Timeout: time.Minute}}, nil
	}
	info, err := os.Stat(target)
	if err != nil {
		// not made here: a storage that is not mounted must not become a folder of this machine
		return nil, fmt.Errorf("audit export: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("audit export: %s is no folder", target)
	}
	return folder{target}, nil
}

// Source is what the shipper reads, and where it notes how far it came.
type Source interface {
	AuditRecords(ctx context.Context, node string, after int64, limit int) ([]audit.Record, error)
	Checkpoints(ctx context.Context, node string, after int64, limit int) ([]audit.Statement, error)
	Exported(ctx context.Context, node string) (int64, error)
	SetExported(ctx context.Context, node string, number int64) error
}

// Shipper sends the audit of one node. Use it from one goroutine.
type Shipper struct {
	Source Source
	Sink   Sink
	Node   string
	// Key is the audit's public key in PEM; it is put beside the files.
	Key []byte

	keySent bool
}

// page is how many checkpoints or records are read at once.
const page = 1000

// Ship sends what is not sent yet, oldest first, and stops at the first that fails.
func (s *Shipper) Ship(ctx context.Context) (sent int, err error) {
	if !s.keySent {
		if err := s.Sink.Put(ctx, keyName(s.Node), s.Key); err != nil {
			return 0, fmt.Errorf("audit export: the public key: %w", err)
		}
		s.keySent = true
	}
	done, err := s.Source.Exported(ctx, s.Node)
	if err != nil {
		return 0, fmt.Errorf("audit export: %w", err)
	}
	after, err := s.sizeOf(ctx, done)
	for err == nil {
		var points []audit.Statement
		if points, err = s.Source.Checkpoints(ctx, s.Node, done, page); err != nil || len(points) == 0 {
			break
		}
		for _, p := range points {
			if err = s.send(ctx, p, after); err != nil {
				return sent, fmt.Errorf("audit export: checkpoint %d: %w", p.Number, err)
			}
			done, after = p.Number, p.Size
			sent++
		}
	}
	if err != nil {
		return sent, fmt.Errorf("audit export: %w", err)
	}
	return sent, nil
}

// sizeOf is how many records a checkpoint speaks of, 0 for none.
func (s *Shipper) sizeOf(ctx context.Context, number int64) (int64, error) {
	if number == 0 {
		return 0, nil
	}
	points, err := s.Source.Checkpoints(ctx, s.Node, number-1, 1)
	if err != nil {
		return 0, err
	}
	if len(points) == 0 || points[0].Number != number {
		return 0, fmt.Errorf("checkpoint %d was sent and is gone", number)
	}
	return points[0].Size, nil
}

func (s *Shipper) send(ctx context.Context, p audit.Statement, after int64) error {
	data, err := Segment(ctx, s.Source, p, after)
	if err != nil {
		return err
	}
	if err := s.Sink.Put(ctx, segmentName(s.Node, p.Number), data); err != nil {
		return err
	}
	return s.Source.SetExported(ctx, s.Node, p.Number)
}

// Segment is the file of one checkpoint: the records after the one before it, then itself.
func Segment(ctx context.Context, from Source, p audit.Statement, after int64) (data []byte, err error) {
	for after < p.Size {
		records, err := from.AuditRecords(ctx, p.Node, after, int(min(p.Size-after, page)))
		if err != nil {
			return nil, err
		}
		if len(records) == 0 || records[len(records)-1].Seq > p.Size {
			return nil, fmt.Errorf("record %d is missing", after+1)
		}
		for _, r := range records {
			if data, err = audit.AppendRecord(data, r); err != nil {
				return nil, err
			}
		}
		after = records[len(records)-1].Seq
	}
	return audit.AppendStatement(data, p)
}

// Behind is how old the oldest checkpoint is that was not sent, 0 when all were.
func (s *Shipper) Behind(ctx context.Context, now time.Time) (time.Duration, error) {
	done, err := s.Source.Exported(ctx, s.Node)
	if err != nil {
		return 0, err
	}
	next, err := s.Source.Checkpoints(ctx, s.Node, done, 1)
	if err != nil || len(next) == 0 {
		return 0, err
	}
	return now.Sub(next[0].At), nil
}

const (
	segmentEnd = ".jsonl"
	keyEnd     = ".pub"
)

// segmentName is NODE-000000000001.jsonl; a node's name is written as in URLs, so it is one word.
func segmentName(node string, number int64) string {
	return fmt.Sprintf("%s-%012d%s", url.PathEscape(node), number, segmentEnd)
}

func keyName(node string) string { return url.PathEscape(node) + keyEnd }
