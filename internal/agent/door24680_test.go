package agent

import (
	"os"
	"path/filepath"
	"testing"

	"senim/internal/freeport"
)

// TestLargePortTaken: another program on the port of large documents keeps nothing else from being served. The person
// opens and closes the door on the agent's page, which says who has the port.
func TestLargePortTaken(t *testing.T) {
	other, err := freeport.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := other.Addr().String()
	told := bring(t, func(c *Config) { c.LargeDocuments = address })
	if told.agent.LargeError() == nil || told.agent.largeAddr() != "" {
		t.Errorf("%v, %q", told.agent.LargeError(), told.agent.largeAddr())
	}
	told.dial(page) // it serves
	b := bring(t, func(c *Config) { c.LargeSwitch = address })
	h := b.home()
	if v := h.view.Large; v == nil || v.On || v.Why != "" || b.agent.largeAddr() != "" {
		t.Fatalf("off by default: %+v", v)
	}
	h.act("/set", map[string]any{"large": true})
	if v := h.view.Large; !v.On || v.Why == "" {
		t.Errorf("the port is taken: %+v", v)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	h.act("/set", map[string]any{"large": true})
	if v := h.view.Large; !v.On || v.Why != "" || b.agent.largeAddr() != address {
		t.Errorf("the port is free: %+v, %s", v, b.agent.largeAddr())
	}
	h.act("/set", map[string]any{"large": false})
	if v := h.view.Large; v.On || b.agent.largeAddr() != "" {
		t.Errorf("closed: %+v, %s", v, b.agent.largeAddr())
	}
	if free, err := freeport.Hold(t.Context()); err == nil { // nothing is kept by us
		_ = free.Close()
	}
	if told := bring(t, largeOn, func(c *Config) { c.LargeSwitch = address }); told.home().view.Large != nil {
		t.Error("what the agent was started with cannot be switched off by its page")
	}
}

// TestSpoolsOfAKillGo: what a killed agent left of a document in clear is gone at the next start.
func TestSpoolsOfAKillGo(t *testing.T) {
	data := t.TempDir()
	left := filepath.Join(data, ".large-123")
	if err := os.WriteFile(left, []byte("документ"), 0o600); err != nil {
		t.Fatal(err)
	}
	bring(t, func(c *Config) { c.Data = data })
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
