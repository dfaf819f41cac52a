package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Bounds of a file, looked at before it is taken apart.
const (
	maxFile     = 256 << 10
	maxProfiles = 200
	maxNodes    = 20_000
)

// Read returns the base set as a file in YAML, or JSON, changes it. See doc/operator.md for the form:
//
//	profiles:
//	  individual: {file_days: 730}          # fields given take the place of the built-in ones
//	  auditor: {like: employee, usage: [emailProtection, legal, employee, 1.2.398.3.3.4.9.1]}
//	retired: [manager, administrator]
//
// Every mistake is named, not only the first. The base is not changed.
func Read(file []byte, base Set) (Set, error) {
	set, err := read(file, base)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	return set, nil
}

func read(file []byte, base Set) (Set, error) {
	top, err := parse(file)
	if err != nil {
		return nil, err
	}
	set := Set{}
	for name, p := range base {
		set[name] = p
	}
	var failed []error
	for key, value := range pairs(top) {
		switch key.Value {
		case "profiles":
			failed = append(failed, readProfiles(value, base, set))
		case "retired":
		default:
			failed = append(failed, fmt.Errorf("line %d: unknown field %q", key.Line, key.Value))
		}
	}
	for key, value := range pairs(top) {
		if key.Value == "retired" { // last, whatever its place: a profile can be copied and retired at once
			failed = append(failed, retire(value, base, set))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	if len(set) == 0 || len(set) > maxProfiles {
		return nil, fmt.Errorf("%d profiles, 1 to %d are possible", len(set), maxProfiles)
	}
	return set, nil
}

// parse reads one document: a mapping, without anchors, aliases and tags of its own.
func parse(file []byte) (*yaml.Node, error) {
	if len(file) > maxFile {
		return nil, fmt.Errorf("%d bytes, at most %d", len(file), maxFile)
	}
	d := yaml.NewDecoder(bytes.NewReader(file))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not a YAML document: %w", err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document follows")
	}
	left := maxNodes
	if err := plain(&doc, &left); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the file is a list of fields")
	}
	return doc.Content[0], nil
}

// plain refuses what could make a file mean more than it shows.
func plain(n *yaml.Node, left *int) error {
	if *left--; *left < 0 {
		return errors.New("too many values")
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return fmt.Errorf("line %d: anchors, aliases and tags are not read", n.Line)
	}
	if n.Kind == yaml.MappingNode {
		var seen []string
		for key := range pairs(n) {
			if key.Kind != yaml.ScalarNode || slices.Contains(seen, key.Value) {
				return fmt.Errorf("line %d: field %q twice, or no name", key.Line, key.Value)
			}
			seen = append(seen, key.Value)
		}
	}
	for _, inner := range n.Content {
		if err := plain(inner, left); err != nil {
			return err
		}
	}
	return nil
}

// pairs walks a mapping.
func pairs(n *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

func readProfiles(list *yaml.Node, base, set Set) error {
	if list.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: profiles is a list of names with their fields", list.Line)
	}
	var failed []error
	for key, value := range pairs(list) {
		p, err := readProfile(key.Value, value, base)
		failed = append(failed, err)
		set[p.Name] = p
	}
	return errors.Join(failed...)
}

func retire(list *yaml.Node, base, set Set) error {
	names, err := words(list)
	if err != nil {
		return fmt.Errorf("retired: %w", err)
	}
	var failed []error
	for _, name := range names {
		if _, ok := base[name]; !ok {
			failed = append(failed, fmt.Errorf("retired: there is no built-in profile %q", name))
		}
		delete(set, name)
	}
	return errors.Join(failed...)
}
