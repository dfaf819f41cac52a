package setup

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// theRegistry is asked by the system's calls: what its tool reg.exe writes for programs is in the code page of consoles, in
// which the names of many people are not.
type theRegistry struct{}

func thisRegistry() Registry { return theRegistry{} }

func open(key string, access uint32) (registry.Key, error) {
	root, path, _ := strings.Cut(key, `\`)
	from := map[string]registry.Key{"HKCU": registry.CURRENT_USER, "HKLM": registry.LOCAL_MACHINE}[root]
	if from == 0 || path == "" {
		return 0, fmt.Errorf("no such part of the registry: %s", key)
	}
	return registry.OpenKey(from, path, access)
}

func (theRegistry) Values(key string) (map[string]string, error) {
	k, err := open(key, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	defer func() { _ = k.Close() }()
	names, err := k.ReadValueNames(-1)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	list := map[string]string{}
	for _, name := range names {
		text, _, err := k.GetStringValue(name)
		if errors.Is(err, registry.ErrUnexpectedType) || errors.Is(err, registry.ErrNotExist) {
			continue // not a text, or gone since
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		list[name] = text
	}
	return list, nil
}

func (theRegistry) Number(key, name string) (uint64, bool, error) {
	k, err := open(key, registry.QUERY_VALUE)
	if err == nil {
		defer func() { _ = k.Close() }()
		n, _, failed := k.GetIntegerValue(name)
		if failed == nil {
			return n, true, nil
		}
		err = failed
	}
	if errors.Is(err, registry.ErrNotExist) || errors.Is(err, registry.ErrUnexpectedType) {
		return 0, false, nil
	}
	return 0, false, fmt.Errorf("read %s: %w", key, err)
}

func (theRegistry) Set(key, name, text string) error {
	root, path, _ := strings.Cut(key, `\`)
	from := map[string]registry.Key{"HKCU": registry.CURRENT_USER, "HKLM": registry.LOCAL_MACHINE}[root]
	k, _, err := registry.CreateKey(from, path, registry.SET_VALUE)
	if err == nil {
		err = errors.Join(k.SetStringValue(name, text), k.Close())
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}

func (theRegistry) Unset(key, name string) error {
	k, err := open(key, registry.SET_VALUE)
	if err == nil {
		err = k.DeleteValue(name)
		_ = k.Close()
	}
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("take out of %s: %w", key, err)
	}
	return nil
}

func (theRegistry) DropEmpty(key string) error {
	k, err := open(key, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	info, err := k.Stat()
	_ = k.Close()
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	if info.SubKeyCount > 0 || info.ValueCount > 0 {
		return nil
	}
	above, name := key[:strings.LastIndex(key, `\`)], key[strings.LastIndex(key, `\`)+1:]
	up, err := open(above, registry.ENUMERATE_SUB_KEYS)
	if err == nil {
		err = registry.DeleteKey(up, name)
		_ = up.Close()
	}
	if err != nil {
		return fmt.Errorf("take %s away: %w", key, err)
	}
	return nil
}
