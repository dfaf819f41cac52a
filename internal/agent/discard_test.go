package agent

import (
	"fmt"
	"strings"
	"testing"

	"senim/internal/keystore"
)

// TestAbandonedKeysAreGivenUp: sixteen keys whose certificates never came close the way for new ones until the person
// gives one up on the agent's page.
func TestAbandonedKeysAreGivenUp(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	order := func(n int) keystore.Order {
		return keystore.Order{Origin: page, RequestID: fmt.Sprintf("abandoned-%d", n), Folder: b.folder,
			Profiles: []keystore.Profile{{Algorithm: "GOST512", Usage: "SIGNATURE"}}, Subject: b.authority.Individual().Certificate.Holder()}
	}
	for n := range keystore.MaxPendingOrigin {
		if _, err := b.agent.keeper.Generate(order(n)); err != nil {
			t.Fatal(err)
		}
	}
	_ = s
	if _, err := b.agent.keeper.Generate(order(99)); err == nil || !strings.Contains(err.Error(), "too_many_pending") {
		t.Fatalf("%v", err)
	}
	h := b.home()
	if len(h.view.Pending) != keystore.MaxPendingOrigin {
		t.Fatalf("%d wait", len(h.view.Pending))
	}
	gone := h.view.Pending[0]
	h.act("/discard", map[string]any{"id": gone.ID})
	if len(h.view.Pending) != keystore.MaxPendingOrigin-1 {
		t.Errorf("%d wait", len(h.view.Pending))
	}
	if p := h.problem("/discard", map[string]any{"id": gone.ID}); p.Code == "" {
		t.Error("a second time")
	}
	if _, err := b.agent.keeper.Generate(order(99)); err != nil {
		t.Error(err)
	}
}
