package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"senim/algid"
)

// listed is one line of a list of digests, in the form of sha256sum: the digest, a space, a space or a
// star, the name. A line whose name holds a line break or a backslash begins with a backslash and has
// them escaped.
type listed struct {
	digest []byte
	name   string
}

var (
	escape   = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`)
	unescape = map[byte]byte{'\\': '\\', 'n': '\n', 'r': '\r'}
)

func (l listed) String() string {
	name, mark := escape.Replace(l.name), ""
	if name != l.name {
		mark = `\`
	}
	return mark + hex.EncodeToString(l.digest) + "  " + name
}

// parseListed reads a line without its line break; false when it is none of a digest of this size.
func parseListed(line string, size int) (listed, bool) {
	line, escaped := strings.CutPrefix(line, `\`)
	if len(line) < 2*size+3 || line[2*size] != ' ' || line[2*size+1] != ' ' && line[2*size+1] != '*' {
		return listed{}, false
	}
	digest, err := hex.DecodeString(line[:2*size])
	if err != nil {
		return listed{}, false
	}
	name := line[2*size+2:]
	if !escaped {
		return listed{digest, name}, true
	}
	var b []byte
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' {
			b = append(b, name[i])
			continue
		}
		i++
		if i == len(name) || unescape[name[i]] == 0 {
			return listed{}, false
		}
		b = append(b, unescape[name[i]])
	}
	return listed{digest, string(b)}, true
}

// compared is what came of one line.
type compared struct {
	File   string `json:"file"`
	Result string `json:"result"` // same, differs, unread
	Error  string `json:"error,omitempty"`
}

// check goes through lists. A line that is none of a list is counted and said: silence would pass a
// list of another algorithm.
func (c *hashing) check(ctx context.Context, p *program, h algid.Hash) (int, error) {
	var all []compared
	odd := 0
	for _, name := range c.Files {
		data, err := p.read(name)
		if err != nil {
			return 0, err
		}
		lines, strange := parseList(data, h.Size())
		if len(lines) == 0 {
			return 0, &hinted{fmt.Errorf("read %s: no line of it holds a %s digest and a name", name, c.Algorithm), "-a names the algorithm the list was made with"}
		}
		odd += strange
		for _, l := range lines {
			r := compared{File: l.name, Result: "same"}
			sum, err := p.digest(ctx, l.name, h)
			switch {
			case ctx.Err() != nil:
				return 0, err
			case err != nil:
				r.Result, r.Error = "unread", err.Error()
			case !bytes.Equal(sum, l.digest):
				r.Result = "differs"
			}
			if !c.JSON {
				r.print(p)
			}
			all = append(all, r)
		}
	}
	bad := 0
	for _, r := range all {
		if r.Result != "same" {
			bad++
		}
	}
	if c.JSON {
		p.json(struct {
			Algorithm string     `json:"algorithm"`
			Files     []compared `json:"files"`
			OddLines  int        `json:"oddLines,omitempty"`
		}{c.Algorithm, all, odd})
	} else {
		p.summary(len(all), bad, odd)
	}
	if bad > 0 || odd > 0 {
		return statusBad, nil
	}
	return statusGood, nil
}

// parseList splits a list into its lines; strange counts those that are neither one nor empty.
func parseList(data []byte, size int) (lines []listed, strange int) {
	for _, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if l, ok := parseListed(line, size); ok {
			lines = append(lines, l)
		} else {
			strange++
		}
	}
	return lines, strange
}

func (r compared) print(p *program) {
	switch r.Result {
	case "same":
		p.line("%s %s", p.paint(markGreen, "same   "), r.File)
	case "differs":
		p.line("%s %s", p.paint(markRed, "differs"), r.File)
	default:
		p.line("%s %s", p.paint(markYellow, "unread "), r.Error)
	}
}

func (p *program) summary(all, bad, odd int) {
	switch {
	case bad == 0 && all == 1:
		p.line("The file is as listed.")
	case bad == 0:
		p.line("All %s are as listed.", count(all, "file"))
	case bad == 1:
		p.line("1 of %s is not as listed, or could not be read.", count(all, "file"))
	default:
		p.line("%d of %s are not as listed, or could not be read.", bad, count(all, "file"))
	}
	if odd > 0 {
		p.line("%s of the list could not be understood.", count(odd, "line"))
	}
}
