package agent

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"senim/internal/keystore"
)

// answered waits for the answer to what was sent meanwhile, as long as a person does.
func (h *hand) answered(what string, status <-chan int, want int) {
	h.b.Helper()
	select {
	case got := <-status:
		if got != want {
			h.b.Errorf("%s: %d", what, got)
		}
	case <-time.After(soon):
		h.b.Errorf("%s is not answered", what)
	}
}

// TestHomeWaitsForNobody: while one wish of the agent's page waits for the network or for a driver, the page is answered
// everything else, and can be closed. The agent ends after what was begun.
func TestHomeWaitsForNobody(t *testing.T) {
	t.Run("network", func(t *testing.T) {
		b := bring(t)
		asked := make(chan struct{})
		b.agent.downloader = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			close(asked)
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		h := b.home()
		h.meanwhile("/authority", map[string]any{"national": true})
		<-asked
		h.answered("alive", h.meanwhile("/alive", map[string]any{}), http.StatusOK)
		h.answered("look", h.meanwhile("/look", map[string]any{}), http.StatusOK)
		h.answered("close", h.meanwhile("/close", map[string]any{}), http.StatusOK)
	})
	t.Run("driver", func(t *testing.T) {
		b := bring(t)
		h := b.home()
		if err := b.agent.settings.change(func(c *saved) { c.Drivers = []savedDriver{{"AKKaztokenStore", "/no/driver.so"}} }); err != nil {
			t.Fatal(err)
		}
		b.agent.looking.Lock() // a driver is asked, and says nothing
		h.meanwhile("/driver", map[string]any{"storage": "AKKaztokenStore", "path": "/no/driver.so", "remove": true})
		becomes(t, func() bool { return len(b.agent.settings.get().Drivers) == 0 }) // now it looks at the tokens
		h.answered("alive", h.meanwhile("/alive", map[string]any{}), http.StatusOK)
		h.answered("close", h.meanwhile("/close", map[string]any{}), http.StatusOK)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			stop, _ := served.LoadAndDelete(b.agent.config.Data)
			stop.(func())()
		}()
		select {
		case <-stopped:
			t.Error("the agent ended while a driver was asked")
		case <-time.After(300 * time.Millisecond):
		}
		b.agent.looking.Unlock()
		<-stopped
	})
}

// TestHomeOpensBesideDrivers: a driver that says nothing does not hold up the page.
func TestHomeOpensBesideDrivers(t *testing.T) {
	b := bring(t)
	b.agent.lookFirst = 10 * time.Millisecond
	b.agent.looking.Lock()
	defer b.agent.looking.Unlock()
	b.agent.ShowHome("ru")
	select {
	case url := <-b.windows:
		h := &hand{b: b, url: url[:strings.IndexByte(url, '#')]}
		h.answered("open", h.meanwhile("/open", map[string]any{"token": url[strings.IndexByte(url, '#')+1:]}), http.StatusOK)
	case <-time.After(soon):
		t.Error("the page does not open")
	}
}

// newsChain is a keychain; while it is asked for the key of the list, a token is plugged in.
type newsChain struct {
	chest
	b *bench
}

func (c *newsChain) Get(name string) (string, error) {
	a := c.b.agent
	a.mu.Lock()
	a.seen, a.turn = keystore.Seen{Files: []keystore.File{{ID: "news", Name: "news.p12"}}}, a.turn+1
	a.mu.Unlock()
	return c.chest.Get(name)
}

// TestHomeTellsItsTurn: a page that is told of the newest turn shows what came with it; what comes while it is drawn is news.
func TestHomeTellsItsTurn(t *testing.T) {
	b := bring(t)
	h := b.home()
	before := h.view.Turn
	b.agent.known.reopen(&index{dir: b.agent.config.Data, chain: &newsChain{b: b}, plain: func() bool { return false }})
	shows := func() bool { return len(h.view.Groups) > 0 && h.view.Groups[0].Keys[0].File == "news.p12" }
	for range 2 { // the second time it is there already
		h.act("/look", map[string]any{})
		if told := h.view.Turn != before; told != shows() {
			t.Errorf("the page is told of the token: %v, and shows it: %v", told, shows())
		}
	}
	if !shows() {
		t.Error("the token is never shown")
	}
}
