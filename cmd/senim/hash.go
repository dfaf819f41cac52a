package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"senim/algid"
)

type hashing struct {
	Algorithm string   `short:"a" enum:"streebog512,streebog256,gost34311,sha256,sha384,sha512" default:"streebog512" help:"streebog512 (default), streebog256, gost34311, sha256, sha384 or sha512." placeholder:"NAME"`
	Check     bool     `short:"c" help:"The files are lists, as this command and sha256sum write them: check every file named in them."`
	JSON      bool     `name:"json" help:"Answer in JSON."`
	Files     []string `arg:"" optional:"" help:"Files of any size; - or none is standard input." name:"file"`
}

// Help is what --help adds.
func (*hashing) Help() string {
	return `The names are those of СТ РК ГОСТ Р 34.11-2015 (streebog512, streebog256), of ГОСТ 34.311-95 as keys of
2004 use it (gost34311), and of SHA-2. A list does not say which one it was made with: say it with -a.

  senim hash act.pdf
  senim hash *.iso > LIST
  senim hash --check LIST
  senim hash -a sha256 --check SHA256SUMS

With --check the exit status is 0 if every file is as listed, 1 if one differs or cannot be read.`
}

// algorithms are the names of hashes on the command line.
var algorithms = map[string]algid.Hash{
	"streebog512": algid.Streebog512, "streebog256": algid.Streebog256, "gost34311": algid.GOST34311,
	"sha256": algid.SHA256, "sha384": algid.SHA384, "sha512": algid.SHA512,
}

// digested is one line of the answer.
type digested struct {
	File   string `json:"file"`
	Digest string `json:"digest"`
}

func (c *hashing) run(ctx context.Context, p *program) (int, error) {
	if len(c.Files) == 0 {
		c.Files = []string{"-"}
	}
	h := algorithms[c.Algorithm]
	if c.Check {
		return c.check(ctx, p, h)
	}
	var all []digested
	for _, name := range c.Files {
		sum, err := p.digest(ctx, name, h)
		if err != nil {
			return 0, err
		}
		all = append(all, digested{name, hex.EncodeToString(sum)})
		if !c.JSON {
			p.verbatim(listed{sum, name}.String())
		}
	}
	if c.JSON {
		p.json(struct {
			Algorithm string     `json:"algorithm"`
			Files     []digested `json:"files"`
		}{c.Algorithm, all})
	}
	return statusGood, nil
}

// digest computes the digest of a file of any size.
func (p *program) digest(ctx context.Context, name string, h algid.Hash) ([]byte, error) {
	return p.digestWith(ctx, name, h.New())
}

func (p *program) digestWith(ctx context.Context, name string, h hash.Hash) ([]byte, error) {
	r, err := p.stream(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// io.Copy would ask the file to copy itself, past the progress.
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{r}, make([]byte, 1<<20)); err != nil {
		return nil, said("hash "+name, err)
	}
	return h.Sum(nil), nil
}

// verbatim writes a line for programs: as it is, but on a terminal, where a file's name must not move
// the cursor.
func (p *program) verbatim(s string) {
	if p.Screen {
		s = printable(s)
	}
	if _, err := fmt.Fprintln(p.Stdout, s); err != nil {
		p.unsaid = err
	}
}
