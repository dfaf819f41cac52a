package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// firefoxPolicy makes every Firefox of the machine, snap's too, import the authority by itself: for
// machines without Mozilla's certutil, and for profiles that are made later. Firefox reads the
// certificate from a copy that no person can change.
type firefoxPolicy struct{ m *Machine }

const policyTop = "/etc/firefox"

func (f firefoxPolicy) Kind() string  { return "firefox-policy" }
func (f firefoxPolicy) Where() string { return f.m.path(policyTop, "policies", "policies.json") }
func (f firefoxPolicy) copy() string  { return f.m.path(policyTop, "policies", f.name()) }

// name is another for each person of the machine: each has an authority.
func (f firefoxPolicy) name() string { return "senim-agent-" + f.m.installation() + ".pem" }

// named is the path in the policy: Firefox knows nothing of a prefix.
func (f firefoxPolicy) named() string {
	return filepath.ToSlash(filepath.Join(policyTop, "policies", f.name()))
}

// read gives the whole file and the list in it that is ours to add to.
func (f firefoxPolicy) read() (all map[string]any, list []any, err error) {
	b, err := f.m.read(f.Where(), 1<<20)
	if errors.Is(err, os.ErrNotExist) {
		return map[string]any{}, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", f.Where(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read %s: something follows", f.Where())
	}
	if all == nil {
		all = map[string]any{} // null
	}
	install := reach(all, "policies", "Certificates")["Install"]
	list, ok := install.([]any)
	if !ok && install != nil {
		return nil, nil, fmt.Errorf("read %s: Install is not a list", f.Where())
	}
	return all, list, nil
}

// reach goes down through objects; one that is not there is an empty one.
func reach(in map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		next, ok := in[key].(map[string]any)
		if !ok {
			return map[string]any{}
		}
		in = next
	}
	return in
}

// object gives a member that is an object, made when there is none. What is there in another shape is
// another program's matter.
func object(in map[string]any, key string) (map[string]any, error) {
	switch v := in[key].(type) {
	case map[string]any:
		return v, nil
	case nil:
		made := map[string]any{}
		in[key] = made
		return made, nil
	}
	return nil, fmt.Errorf("%s is not an object", key)
}

func (f firefoxPolicy) State(context.Context) (State, error) {
	_, list, err := f.read()
	if err != nil {
		return Unknown, err
	}
	listed := slices.Contains(list, any(f.named()))
	b, err := f.m.read(f.copy(), 64<<10)
	earlier := f.m.earlier(filepath.Dir(f.Where()), f.copy())
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return Unknown, err
	case !listed && err != nil && len(earlier) == 0:
		return Absent, nil
	}
	want, err := f.m.pem()
	if err != nil || !listed || len(earlier) > 0 || !bytes.Equal(b, want) {
		return Old, nil //nolint:nilerr // half of it, or of an authority we do not have
	}
	return Present, nil
}

func (f firefoxPolicy) Put(context.Context) error {
	content, err := f.m.pem()
	if err != nil {
		return err
	}
	all, list, err := f.read()
	if err != nil {
		return err
	}
	earlier := f.m.earlier(filepath.Dir(f.Where()), f.copy())
	if list = f.without(list, earlier); !slices.Contains(list, any(f.named())) {
		list = append(list, f.named())
	}
	policies, err := object(all, "policies")
	if err != nil {
		return fmt.Errorf("%s: %w", f.Where(), err)
	}
	certificates, err := object(policies, "Certificates")
	if err != nil {
		return fmt.Errorf("%s: %w", f.Where(), err)
	}
	certificates["Install"] = list
	if err := f.m.place(f.copy(), content); err != nil {
		return err
	}
	if err := f.write(all); err != nil {
		return err
	}
	return f.drop(earlier)
}

// without leaves out of the list the files of that many paths of the machine.
func (f firefoxPolicy) without(list []any, paths []string) []any {
	return slices.DeleteFunc(list, func(v any) bool {
		name, ok := v.(string)
		return ok && slices.Contains(paths, f.m.path(filepath.FromSlash(name)))
	})
}

func (f firefoxPolicy) drop(paths []string) error {
	for _, path := range paths {
		if err := f.m.displace(path); err != nil {
			return err
		}
	}
	return nil
}

func (f firefoxPolicy) write(all map[string]any) error {
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return f.m.place(f.Where(), append(b, '\n'))
}

// Take gives the file back as it was, and deletes it when nothing else is in it. A link that stands for it stays.
func (f firefoxPolicy) Take(context.Context) error {
	all, list, err := f.read()
	if err != nil {
		return err
	}
	gone := append(f.m.earlier(filepath.Dir(f.Where()), f.copy()), f.copy())
	if rest := f.without(slices.Clone(list), gone); len(rest) < len(list) {
		list = rest
		certificates := reach(all, "policies", "Certificates")
		certificates["Install"] = list
		if len(list) == 0 {
			delete(certificates, "Install")
		}
		if len(certificates) == 0 {
			delete(reach(all, "policies"), "Certificates")
		}
		if len(reach(all, "policies")) == 0 {
			delete(all, "policies")
		}
		if at, fault := f.m.firm(f.Where()); fault == nil && at == f.Where() && len(all) == 0 {
			err = f.m.displace(f.Where())
		} else {
			err = f.write(all)
		}
		if err != nil {
			return err
		}
	}
	return f.drop(gone)
}
