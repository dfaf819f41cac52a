package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// policy is what a policy says of a browser: of whoever put it there, seen where the browser reads it.
type policy struct {
	where string
	name  string
	sites []string
}

// systemRoots is the policy that keeps a browser, when it says no, from certificates that were added to the system.
const systemRoots = "CAPlatformIntegrationEnabled"

// policiesSaid lists the policies of browsers about this machine. What cannot be read says nothing: the browser cannot
// read it either.
func (m *Machine) policiesSaid(ctx context.Context) []policy {
	switch m.OS {
	case "windows":
		return m.registrySays()
	case "darwin":
		return m.managedSay(ctx)
	}
	var list []policy
	for _, c := range chromiums {
		files, err := filepath.Glob(filepath.Join(m.path(c.managed), "*.json"))
		if c.managed == "" || err != nil {
			continue
		}
		for _, path := range files {
			list = append(list, policiesIn(path)...)
		}
	}
	return list
}

// policiesIn reads one file of policies.
func policiesIn(path string) (list []policy) {
	content, err := readLimited(path, 1<<20)
	if err != nil {
		return nil
	}
	all := map[string]json.RawMessage{}
	if json.Unmarshal(content, &all) != nil {
		return nil
	}
	if string(all[systemRoots]) == "false" {
		list = append(list, policy{where: path, name: systemRoots})
	}
	for _, name := range slices.Concat(blocking, allowing) {
		var sites []string
		if json.Unmarshal(all[name], &sites) == nil && len(sites) > 0 {
			list = append(list, policy{path, name, sites})
		}
	}
	return list
}

// registrySays reads the policies of Windows, of the machine and of the person.
func (m *Machine) registrySays() (list []policy) {
	for _, hive := range []string{`HKLM`, `HKCU`} {
		for _, c := range chromiums {
			if c.key == "" {
				continue
			}
			key := hive + `\SOFTWARE\Policies\` + c.key
			if n, there, err := m.Registry.Number(key, systemRoots); err == nil && there && n == 0 {
				list = append(list, policy{where: key + `\` + systemRoots, name: systemRoots})
			}
			for _, name := range slices.Concat(blocking, allowing) {
				all, err := m.Registry.Values(key + `\` + name)
				if err != nil || len(all) == 0 {
					continue
				}
				var sites []string
				for _, number := range slices.Sorted(maps.Keys(all)) {
					sites = append(sites, all[number])
				}
				list = append(list, policy{key + `\` + name, name, sites})
			}
		}
	}
	return list
}

// managedSay reads the settings that a profile of macOS manages: a file for each program, for all people and for this
// one. plutil is the system's own reader of such files, which are seldom text.
func (m *Machine) managedSay(ctx context.Context) (list []policy) {
	for _, c := range chromiums {
		if c.domain == "" {
			continue
		}
		for _, path := range m.managedFiles(c.domain) {
			for name, sites := range m.plistArrays(ctx, path) {
				if name == systemRoots && slices.Contains(sites, "false") || (slices.Contains(blocking, name) || slices.Contains(allowing, name)) && len(sites) > 0 {
					list = append(list, policy{path, name, sites})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b policy) int { return strings.Compare(a.where+a.name, b.where+b.name) })
	return list
}

// managedFiles are where the managed settings of a program stand.
func (m *Machine) managedFiles(domain string) (list []string) {
	const folder = "/Library/Managed Preferences"
	for _, path := range []string{m.path(folder, domain+".plist"), m.path(folder, filepath.Base(m.Home), domain+".plist")} {
		if exists(path) {
			list = append(list, path)
		}
	}
	return list
}

// plistArrays gives the lists of texts at the top of a property list; of a yes or no, the one word.
func (m *Machine) plistArrays(ctx context.Context, path string) map[string][]string {
	out, err := m.Run(ctx, "plutil", "-convert", "xml1", "-o", "-", path)
	if err != nil {
		return nil
	}
	all, err := parsePlist(out)
	if err != nil {
		return nil
	}
	return all
}

// parsePlist reads a property list in XML: lists of texts, and what is yes or no as one word. What is inside another
// dictionary has its key before a slash.
func parsePlist(b []byte) (map[string][]string, error) {
	all := map[string][]string{}
	d := xml.NewDecoder(bytes.NewReader(b))
	var path, keys []string // of keys, one for each dictionary
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			in := ""
			if len(path) > 0 {
				in = path[len(path)-1]
			}
			if len(path) > 64 {
				return nil, errors.New("a property list too deep")
			}
			path = append(path, t.Name.Local)
			name := strings.Join(keys, "/")
			switch t.Name.Local {
			case "dict":
				keys = append(keys, "")
			case "true", "false":
				all[name] = append(all[name], t.Name.Local)
			case "key", "string":
				var text string
				if err := d.DecodeElement(&text, &t); err != nil {
					return nil, err
				}
				path = path[:len(path)-1]
				if t.Name.Local == "key" && len(keys) > 0 {
					keys[len(keys)-1] = text
				} else if in == "array" {
					all[name] = append(all[name], text)
				}
			}
		case xml.EndElement:
			path = path[:max(0, len(path)-1)]
			if t.Name.Local == "dict" {
				keys = keys[:max(0, len(keys)-1)]
			}
		}
	}
}
