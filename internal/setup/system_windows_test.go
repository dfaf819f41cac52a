package setup

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// TestRegistryHere: this Windows' registry keeps what people are called in any letters, and only what is ours and empty goes.
func TestRegistryHere(t *testing.T) {
	const above, key = `HKCU\Software\Senim test`, `HKCU\Software\Senim test\Политика`
	r := thisRegistry()
	t.Cleanup(func() {
		for _, path := range []string{`Software\Senim test\Политика\more`, `Software\Senim test\Политика`, `Software\Senim test`} {
			_ = registry.DeleteKey(registry.CURRENT_USER, path)
		}
	})
	if got, err := r.Values(key); len(got) > 0 || err != nil {
		t.Fatalf("%v %v", got, err)
	}
	if err := r.Unset(key, "x"); err != nil {
		t.Error(err)
	}
	if err := r.DropEmpty(key); err != nil {
		t.Error(err)
	}
	want := map[string]string{"SenimAgent": `"C:\Users\Әйгүл Қыздарбекова\AppData\Local\Programs\Senim\senim-agentw.exe" "--wait"`, "1": "https://corp.example.kz"}
	for name, text := range want {
		if err := r.Set(key, name, text); err != nil {
			t.Fatal(err)
		}
	}
	k, err := registry.OpenKey(registry.CURRENT_USER, `Software\Senim test\Политика`, registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = k.Close() }()
	if err := k.SetDWordValue("number", 1); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Values(key); !maps.Equal(got, want) || err != nil {
		t.Errorf("%v %v", got, err)
	}
	if n, there, err := r.Number(key, "number"); n != 1 || !there || err != nil {
		t.Errorf("%d %v %v", n, there, err)
	}
	for _, name := range []string{"1", "none"} { // a text, and nothing
		if _, there, err := r.Number(key, name); there || err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name := range want {
		if err := r.Unset(key, name); err != nil {
			t.Error(err)
		}
	}
	there := func() bool {
		_, err := registry.OpenKey(registry.CURRENT_USER, `Software\Senim test\Политика`, registry.QUERY_VALUE)
		return err == nil
	}
	if err := r.DropEmpty(key); err != nil || !there() {
		t.Errorf("a key with another's value went: %v", err)
	}
	if err := k.DeleteValue("number"); err != nil {
		t.Fatal(err)
	}
	more, _, err := registry.CreateKey(k, "more", registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	_ = more.Close()
	if err := r.DropEmpty(key); err != nil || !there() {
		t.Errorf("a key with another's key went: %v", err)
	}
	if err := registry.DeleteKey(k, "more"); err != nil {
		t.Fatal(err)
	}
	if err := r.DropEmpty(key); err != nil || there() {
		t.Errorf("an empty key stays: %v", err)
	}
	if got, err := r.Values(above); len(got) > 0 || err != nil {
		t.Errorf("%v %v", got, err)
	}
	if _, err := r.Values(`HKXX\x`); err == nil {
		t.Error("there is no such part")
	}
}

// TestRootsHere: this Windows' store takes an authority once and gives it back. Windows itself asks the person at both, so it is
// tried where nobody is asked.
func TestRootsHere(t *testing.T) {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil {
		t.Skip("Windows would ask whoever sits there; Wine does not: make windows-test")
	}
	m := machine(t)
	m.OS, m.Registry, m.Roots = "windows", thisRegistry(), thisRoots()
	before, err := m.Roots.List()
	if err != nil {
		t.Fatal(err)
	}
	earlier := former(t, "old-name")
	if err := m.Roots.Add(earlier.Raw); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := (rootStore{m}).Put(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := m.authority()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := (rootStore{m}).State(t.Context()); s != Present || err != nil {
		t.Errorf("%s %v", s, err)
	}
	now, err := m.Roots.List()
	if err != nil || len(now) != len(before)+1 || !slices.ContainsFunc(now, func(der []byte) bool { return bytes.Equal(der, cert.Raw) }) {
		t.Errorf("%d roots, there were %d: %v", len(now), len(before), err)
	}
	if err := Take(t.Context(), m.ownStores(), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if now, err := m.Roots.List(); err != nil || len(now) != len(before) {
		t.Errorf("%d roots, there were %d: %v", len(now), len(before), err)
	}
	if err := m.Roots.Delete(cert.Raw); err != nil {
		t.Errorf("one that is not there: %v", err)
	}
}
