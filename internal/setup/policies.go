package setup

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"howett.net/plist"
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
func (m *Machine) policiesSaid() []policy {
	switch m.OS {
	case "windows":
		return m.registrySays()
	case "darwin":
		return m.managedSay()
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
// one.
func (m *Machine) managedSay() (list []policy) {
	for _, c := range chromiums {
		if c.domain == "" {
			continue
		}
		for _, path := range m.managedFiles(c.domain) {
			for name, sites := range propertyLists(path) {
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

// propertyLists gives the lists of texts in a file of settings, which is seldom text itself; of a yes or no, the one word. What is inside
// another dictionary has its key before a slash. A file that cannot be read says nothing: the browser cannot read it either.
func propertyLists(path string) map[string][]string {
	b, err := readLimited(path, 1<<20)
	if err != nil {
		return nil
	}
	all, err := parsePlist(b)
	if err != nil {
		return nil
	}
	return all
}

func parsePlist(b []byte) (map[string][]string, error) {
	var top any
	if _, err := plist.Unmarshal(b, &top); err != nil {
		return nil, fmt.Errorf("read a property list: %w", err)
	}
	all := map[string][]string{}
	var take func(name string, value any)
	take = func(name string, value any) {
		switch v := value.(type) {
		case bool:
			all[name] = append(all[name], strconv.FormatBool(v))
		case map[string]any:
			for key, inside := range v {
				take(strings.TrimPrefix(name+"/"+key, "/"), inside)
			}
		case []any:
			for _, item := range v {
				if text, is := item.(string); is {
					all[name] = append(all[name], text)
				} else {
					take(name, item)
				}
			}
		}
	}
	take("", top)
	return all, nil
}
